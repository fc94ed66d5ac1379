/* application.c: extensions that are not ours but the application's: opaque to us, under the same rules as all
 * others (RFC 8446 4.2): no answer to what was not asked. */
#include "extension/application.h"

#include "config/applications.h"

_Static_assert((int)APPLICATION_CH == IN_CH && (int)APPLICATION_SH == IN_SH &&
                   (int)APPLICATION_HRR == IN_HRR && (int)APPLICATION_EE == IN_EE &&
                   (int)APPLICATION_CR == IN_CR && (int)APPLICATION_CT == IN_CT &&
                   (int)APPLICATION_NST == IN_NST && (int)APPLICATION_SH12 == IN_SH12,
               "the same bits");

enum { REQUESTS = IN_CH | IN_CR | IN_NST };

static const struct applications *of(const struct nego *n)
{
    return n->config ? n->config->applications : NULL;
}

static uint16_t version_of(const struct nego *n)
{
    return n->version ? n->version : n->config->body.version_max;
}

static struct application_place place_of(const struct nego *n, uint16_t id, unsigned message)
{
    return (struct application_place){.conn = n->conn,
                                      .id = id,
                                      .version = version_of(n),
                                      .message = message,
                                      .entry = n->entry,
                                      .certificate = n->certificate,
                                      .resumed = n->psk || n->resumed12};
}

/* What the application gives as an alert must be one. */
static bool refuse(const struct nego *n, uint16_t id, uint8_t alert)
{
    if (!n->err || n->err->code)
        return false;
    err_set(n->err, HF_E_REFUSED, "the application refuses extension %u", id);
    n->err->alert = alert ? alert : 80;
    return false;
}

static bool write_one(struct nego *n, struct wr *w, const struct applications *a, uint16_t id,
                      unsigned message, bool *written)
{
    struct application_place place = place_of(n, id, message);
    const uint8_t *content = NULL;
    size_t len = 0;
    uint8_t alert = 80;
    int r = a->add(&place, &content, &len, &alert, a->arg);
    *written = r > 0;
    if (r < 0)
        return refuse(n, id, alert);
    if (r == 0)
        return true;
    wr_u16(w, id);
    wr_opaque16(w, slice_of(content, len));
    if (a->added)
        a->added(&place, content, a->arg);
    return true;
}

void application_write(struct nego *n, struct wr *w, unsigned message)
{
    const struct applications *a = of(n);
    bool request = (message & REQUESTS) != 0;
    if (request)
        n->application_sent = 0;
    for (size_t i = 0; a && i < a->count; i++) {
        bool written;
        if (!(a->ext[i].messages & message) ||
            (!request && !(n->application_received >> i & 1)))
            continue;
        if (!write_one(n, w, a, a->ext[i].id, message, &written)) {
            w->failed = true;
            return;
        }
        if (request && written)
            n->application_sent |= 1u << i;
    }
}

static size_t find(const struct applications *a, uint16_t id)
{
    size_t i = 0;
    while (i < a->count && a->ext[i].id != id)
        i++;
    return i;
}

/* A request that may not have it is ignored like any unknown one: it may mean something else there. */
bool application_knows(const struct nego *n, uint16_t id, unsigned message, hf_code *fault)
{
    const struct applications *a = of(n);
    size_t i = a ? find(a, id) : 0;
    *fault = HF_OK;
    if (!a || i == a->count)
        return false;
    if (message & REQUESTS)
        return (a->ext[i].messages & message) != 0;
    if (!(n->application_sent >> i & 1))
        *fault = HF_E_UNSOLICITED_EXTENSION;
    else if (!(a->ext[i].messages & message))
        *fault = HF_E_MISPLACED_EXTENSION;
    return true;
}

/* The content of one extension in a block whose form has been checked. */
static bool find_content(struct slice block, uint16_t id, struct slice *out)
{
    const uint8_t *p = block.p;
    for (size_t left = block.len; left >= 4;) {
        size_t len = get_u16(p + 2);
        if (len > left - 4)
            return false;
        *out = slice_of(p + 4, len);
        if (get_u16(p) == id)
            return true;
        p += 4 + len;
        left -= 4 + len;
    }
    return false;
}

bool application_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    const struct applications *a = of(n);
    bool request = (message & REQUESTS) != 0;
    if (request)
        n->application_received = 0;
    for (size_t i = 0; a && v->applications.p && i < a->count; i++) {
        struct slice content;
        uint8_t alert = 80;
        if (!(a->ext[i].messages & message) ||
            !find_content(v->applications, a->ext[i].id, &content))
            continue;
        struct application_place place = place_of(n, a->ext[i].id, message);
        if (request)
            n->application_received |= 1u << i;
        if (!a->take(&place, content.p, content.len, &alert, a->arg))
            return refuse(n, a->ext[i].id, alert);
    }
    return true;
}
