/* bulk.c: the rows of records: one direction, client to server, over one connection. */
#include "rows.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SAMPLES 50000
#define BATCH       16 /* small records per sample: the counter itself costs some ns */

struct stream {
    const char *send_row, *receive_row, *suite;
    size_t size, batch;
};

/* clang-format off */
static const struct stream streams[] = {
    {"aes128gcm-16k-send", "aes128gcm-16k-receive", "TLS_AES_128_GCM_SHA256", RECORD_16K, 1},
    {"aes256gcm-16k-send", "aes256gcm-16k-receive", "TLS_AES_256_GCM_SHA384", RECORD_16K, 1},
    {"chacha20-16k-send", "chacha20-16k-receive", "TLS_CHACHA20_POLY1305_SHA256", RECORD_16K, 1},
    {"aes128gcm-100b-send", "aes128gcm-100b-receive", "TLS_AES_128_GCM_SHA256", 100, BATCH},
    {"tls12-aes128gcm-16k-send", "tls12-aes128gcm-16k-receive", "ECDHE-ECDSA-AES128-GCM-SHA256", RECORD_16K, 1},
    {"tls12-aes128gcm-100b-send", "tls12-aes128gcm-100b-receive", "ECDHE-ECDSA-AES128-GCM-SHA256", 100, BATCH},
    {"tls12-aes128cbc-sha-16k-send", "tls12-aes128cbc-sha-16k-receive", "ECDHE-ECDSA-AES128-SHA", RECORD_16K, 1},
    {"tls12-aes128cbc-sha-100b-send", "tls12-aes128cbc-sha-100b-receive", "ECDHE-ECDSA-AES128-SHA", 100, BATCH},
};
/* clang-format on */

static const char share_row[] = "aes128gcm-16k-send-share";

/* A connection that is ready, with what it was made of. */
struct line {
    void *client, *server;
    struct pair pair;
};

static struct line line_open(const struct engine *engine, const char *suite)
{
    struct authority *root = authority_new(NULL), *intermediate = authority_new(root);
    struct identity identity = identity_new(intermediate, false);
    struct text pem = authority_pem(root);
    struct setup setup = {.identity = &identity,
                          .root = pem,
                          .suite = suite,
                          .groups = "X25519:P-256",
                          .tls12 = strncmp(suite, "TLS_", 4) != 0};
    struct line line;

    line.client = engine->config_new(CLIENT, &setup);
    line.server = engine->config_new(SERVER, &setup);
    line.pair = pair_open(engine, line.client, line.server, NULL);
    pair_greet(&line.pair);
    free(pem.p);
    identity_clear(&identity);
    authority_free(intermediate);
    authority_free(root);
    return line;
}

static void line_close(struct line *line)
{
    const struct engine *engine = line->pair.engine[CLIENT];

    pair_close(&line->pair);
    engine->config_free(line->client);
    engine->config_free(line->server);
    engine->session_free(engine->session_take());
}

static uint8_t payload[RECORD_16K];
static double samples[2][MAX_SAMPLES];

/* Time per record, as the median of batches: the writer's calls, then the reader's. */
static void transfer(struct line *line, const struct stream *stream, double seconds,
                     double *send_ns, double *receive_ns)
{
    const struct engine *engine = line->pair.engine[CLIENT];
    static uint8_t scratch[RECORD_16K];
    uint64_t start = ticks_now();
    size_t count = 0;

    wire_reset();
    do {
        uint64_t t0 = ticks_now(), t1, t2;

        for (size_t i = 0; i < stream->batch; i++)
            engine->write(line->pair.conn[CLIENT], payload, stream->size);
        t1 = ticks_now();
        for (size_t sum = 0; sum < stream->size * stream->batch;) {
            size_t n = engine->read(line->pair.conn[SERVER], scratch, sizeof(scratch));

            if (n == 0)
                die("%s: a record is missing", engine->name);
            sum += n;
        }
        t2 = ticks_now();
        samples[0][count] = ticks_ns(t1 - t0) / (double)stream->batch;
        samples[1][count++] = ticks_ns(t2 - t1) / (double)stream->batch;
    } while (count < MAX_SAMPLES && ticks_ns(ticks_now() - start) < seconds * 1e9);
    *send_ns = median(samples[0], count);
    *receive_ns = median(samples[1], count);
}

static void run_stream(const struct plan *plan, const struct stream *stream)
{
    const struct engine *all[2];
    size_t engines = engines_of(plan, all);
    struct line lines[2];

    for (size_t e = 0; e < engines; e++)
        lines[e] = line_open(all[e], stream->suite);
    for (unsigned round = 0; round < plan->rounds; round++) {
        for (size_t e = 0; e < engines; e++) {
            struct line *line = &lines[(e + round) % engines];
            double send_ns, receive_ns;

            transfer(line, stream, plan->seconds, &send_ns, &receive_ns);
            if (wanted(stream->send_row))
                report(stream->send_row, "ns", round, line->pair.engine[CLIENT], send_ns);
            if (wanted(stream->receive_row))
                report(stream->receive_row, "ns", round, line->pair.engine[CLIENT], receive_ns);
        }
    }
    for (size_t e = 0; e < engines; e++)
        line_close(&lines[e]);
}

/* ---------------------------------------------------------------- share of the raw cipher */

/* What a record of 16 KB costs at least: its nonce, its header as additional data, the plaintext with
 * its type byte, the tag; from one buffer into another with a context that keeps its key. */
static double raw_seal(double seconds)
{
    static uint8_t out[RECORD_16K + 1 + 16];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[12] = {0}, key[16] = {1}, header[5] = {23, 3, 3, 0x40, 0x11}, type = 23;
    uint64_t start = ticks_now();
    size_t count = 0;
    int n;

    if (ctx == NULL || EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, key, nonce) != 1)
        die("EVP_EncryptInit_ex failed");
    do {
        uint64_t t = ticks_now();

        nonce[11]++;
        if (EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, nonce) != 1 ||
            EVP_EncryptUpdate(ctx, NULL, &n, header, sizeof(header)) != 1 ||
            EVP_EncryptUpdate(ctx, out, &n, payload, RECORD_16K) != 1 ||
            EVP_EncryptUpdate(ctx, out + RECORD_16K, &n, &type, 1) != 1 ||
            EVP_EncryptFinal_ex(ctx, out + RECORD_16K + 1, &n) != 1 ||
            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + RECORD_16K + 1) != 1)
            die("EVP_EncryptUpdate failed");
        samples[0][count++] = ticks_ns(ticks_now() - t);
    } while (count < MAX_SAMPLES && ticks_ns(ticks_now() - start) < seconds * 1e9);
    EVP_CIPHER_CTX_free(ctx);
    return median(samples[0], count);
}

/* The engine's own work alone: the wire drops the bytes, so no copy stands for the system call. */
static double sealed_alone(struct line *line, double seconds)
{
    uint64_t start = ticks_now();
    size_t count = 0;

    wire_discard = true;
    do {
        uint64_t t = ticks_now();

        line->pair.engine[CLIENT]->write(line->pair.conn[CLIENT], payload, RECORD_16K);
        samples[0][count++] = ticks_ns(ticks_now() - t);
    } while (count < MAX_SAMPLES && ticks_ns(ticks_now() - start) < seconds * 1e9);
    wire_discard = false;
    return median(samples[0], count);
}

static void run_share(const struct plan *plan)
{
    const struct engine *all[2];
    size_t engines = engines_of(plan, all);
    struct line lines[2];

    for (size_t e = 0; e < engines; e++)
        lines[e] = line_open(all[e], "TLS_AES_128_GCM_SHA256");
    for (unsigned round = 0; round < plan->rounds; round++) {
        double raw = raw_seal(plan->seconds);

        for (size_t e = 0; e < engines; e++) {
            struct line *line = &lines[(e + round) % engines];

            report(share_row, "share", round, line->pair.engine[CLIENT],
                   raw / sealed_alone(line, plan->seconds));
        }
    }
    for (size_t e = 0; e < engines; e++)
        line_close(&lines[e]);
}

void rows_bulk(const struct plan *plan)
{
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
        if (wanted(streams[i].send_row) || wanted(streams[i].receive_row))
            run_stream(plan, &streams[i]);
    if (wanted(share_row))
        run_share(plan);
}
