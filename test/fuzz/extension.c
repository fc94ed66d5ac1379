/* extension.c: one extension in one message, read and judged by a side that could have got it.
 *
 * Input: the message (index into the table below) in the low 3 bits, then 2 bits of version that was agreed
 * and one for a renegotiation; 16 bits of extension type, then its body. */
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
    {IN_NST, "NewSessionTicket"},  {IN_SH12, "ServerHello"},
};

static void leaf(void *arg, const hf_trace_event *e)
{
    if (e->kind == HF_TRACE_FIELD)
        tiling_leaf(arg, e->offset, e->size);
}

static void run(const uint8_t *block, size_t len, uint8_t choices, bool judge)
{
    static const uint16_t version[4] = {0, HF_TLS1_2, HF_TLS1_3, HF_TLS1_0};
    unsigned in = messages[choices & 7].in;
    const char *name = messages[choices & 7].name;
    static struct ext_values v;
    struct tiling tiling;
    hf_error err = {0};
    struct nego n = {0};
    struct rd_msg m = {.name = name, .err = &err, .trace = leaf, .trace_arg = &tiling};
    n.server = in == IN_CH;
    n.config = ends_config(n.server);
    n.err = &err;
    /* Nothing was offered that only an unfinished handshake could answer for: no session, no share. */
    n.version = version[choices >> 3 & 3];
    n.renegotiating = choices & 32;
    n.suite = suite_find(choices & 64 ? 0xc013 : 0x1301);
    n.sent = ~0u & ~(1u << X_PRE_SHARED_KEY) & ~(in == IN_SH ? 1u << X_KEY_SHARE : 0);
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
    uint8_t choices = feed_u8(&f);
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
    run(block, len, choices, false);
    run(block, len, choices, true);
    free(block);
    return 0;
}
