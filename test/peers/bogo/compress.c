/* compress.c: the runner's own algorithms for compressed certificates, as it has them itself. */
#include <string.h>

#include "setup.h"

static const uint8_t mark[4] = {1, 2, 3, 4};

static size_t expand(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg)
{
    (void)arg;
    if (size < len + sizeof mark)
        return 0;
    memcpy(out, mark, sizeof mark);
    memcpy(out + sizeof mark, in, len);
    return len + sizeof mark;
}

static size_t unexpand(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg)
{
    (void)arg;
    if (len <= sizeof mark || memcmp(in, mark, sizeof mark) != 0)
        return 0;
    if (len - sizeof mark == size)
        memcpy(out, in + sizeof mark, size);
    return len - sizeof mark;
}

/* A Certificate message of the handshake begins with an empty context and a short list. */
static size_t shrink(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg)
{
    (void)arg;
    if (len <= 2 || size < len || in[0] || in[1])
        return 0;
    memcpy(out, in + 2, len - 2);
    return len - 2;
}

static size_t unshrink(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg)
{
    (void)arg;
    if (len + 2 == size) {
        memset(out, 0, 2);
        memcpy(out + 2, in, len);
    }
    return len + 2;
}

/* Never the same twice, so that it shows whether what was signed is what was sent. */
static size_t vary(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg)
{
    static uint8_t count;
    (void)arg;
    if (size < len + 1)
        return 0;
    out[0] = ++count;
    memcpy(out + 1, in, len);
    return len + 1;
}

static size_t unvary(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg)
{
    (void)arg;
    if (len == size + 1)
        memcpy(out, in + 1, size);
    return len - 1;
}

bool setup_compressors(hf_config *config, const struct options *o)
{
    static const hf_compressor all[] = {
        {0xff02, expand, unexpand, NULL},
        {0xff01, shrink, unshrink, NULL},
        {0xff03, vary, unvary, NULL},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if ((o->install_compressors || o->install_compressor == all[i].id) &&
            !hf_config_add_certificate_compressor(config, &all[i]))
            return false;
    }
    return true;
}
