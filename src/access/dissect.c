/* dissect.c: the fields of a message that is nobody's, for SSL_trace. */
#include "access/access.h"

#include "config/tables.h"
#include "handshake/tracer.h"
#include "message/message.h"

/* Messages of TLS 1.2 and older look different by suite: without one they are shown as those of TLS 1.3. */
void access_dissect(uint16_t version, uint16_t suite, const uint8_t *whole, size_t len,
                    hf_trace_fn fn, void *arg)
{
    struct tracer t = {.fn = fn, .arg = arg};
    const struct suite *s = suite ? suite_find(suite) : NULL;
    if (len < MSG_HEADER)
        return;
    if (version && version < HF_TLS1_3 && s)
        trace_message12(&t, whole, len, version, s);
    else
        trace_message(&t, true, whole, len, true);
}
