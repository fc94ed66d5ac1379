/* extension.c: one extension in one message, read and judged by a side that could have got it.
 *
 * Input: the message (index into the table below), 16 bits of extension type, then its body. */
#include "fuzz.h"

#include <string.h>

#include "ends.h"
#include "extension/extension.h"
#include "message/message.h"

static const struct {
    unsigned in;
    const char *name;
} messages[] = {
    {IN_CH, "ClientHello"},        {IN_SH, "ServerHello"},
    {IN_HRR, "HelloRetryRequest"}, {IN_EE, "EncryptedExtensions"},
    {IN_CR, "CertificateRequest"}, {IN_CT, "Certificate"},
    {IN_NST, "NewSessionTicket"},
};

static void leaf(void *arg, const hf_trace_event *e)
{
    if (e->kind == HF_TRACE_FIELD)
        tiling_leaf(arg, e->offset, e->size);
}

static void run(const uint8_t *block, size_t len, unsigned in, const char *name, bool judge)
{
    static struct ext_values v;
    struct tiling tiling;
    hf_error err = {0};
    struct nego n = {0};
    struct rd_msg m = {.name = name, .err = &err, .trace = leaf, .trace_arg = &tiling};
    n.server = in == IN_CH;
    n.config = ends_config(n.server);
    n.err = &err;
    /* Nothing was offered that only an unfinished handshake could answer for: no session, no share. */
    n.sent = 0x7fff & ~(1u << X_PRE_SHARED_KEY) & ~(in == IN_SH ? 1u << X_KEY_SHARE : 0);
    tiling_start(&tiling, len);
    struct rd r = rd_start(&m, block, len, 0);
    struct rd extensions = rd_vec16(&r, "extensions", 0, 65535);
    bool ok = ext_read(judge ? &n : NULL, &extensions, in, &v);
    tiling_end(&tiling, ok);
    if (ok && judge)
        ok = ext_take(&n, &v, in);
    REQUIRE(ok == (err.code == HF_OK));
    if (!ok) {
        REQUIRE(strncmp(err.path, name, strlen(name)) == 0);
        REQUIRE(err.offset <= len);
    }
    nego_clear(&n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    size_t i = feed_u8(&f) % (sizeof messages / sizeof *messages);
    uint16_t id = feed_u16(&f);
    if (f.left > 60000)
        return 0;
    size_t len = 2 + 4 + f.left;
    uint8_t *block = malloc(len);
    REQUIRE(block != NULL);
    put_u16(block, (uint16_t)(len - 2));
    put_u16(block + 2, id);
    put_u16(block + 4, (uint16_t)f.left);
    if (f.left)
        memcpy(block + 6, f.p, f.left);
    run(block, len, messages[i].in, messages[i].name, false);
    run(block, len, messages[i].in, messages[i].name, true);
    free(block);
    return 0;
}
