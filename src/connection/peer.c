/* peer.c: the peer's certificate in the way of Python's getpeercert(). */
#include "bytes/sink.h"
#include "handfast_certificate.h"

hf_peer_state hf_conn_peer_state(const hf_conn *conn)
{
    if (!hf_conn_version(conn))
        return HF_PEER_NO_HANDSHAKE;
    if (!hf_conn_peer_certificate(conn, 0))
        return HF_PEER_NONE;
    return hf_conn_verified(conn) ? HF_PEER_VERIFIED : HF_PEER_NOT_VERIFIED;
}

size_t hf_conn_peer_json(const hf_conn *conn, char *out, size_t size)
{
    struct sink s = {.out = out, .size = size};
    switch (hf_conn_peer_state(conn)) {
    case HF_PEER_NO_HANDSHAKE: break;
    case HF_PEER_NONE: sink_raw(&s, "null"); break;
    case HF_PEER_NOT_VERIFIED: sink_raw(&s, "{}"); break;
    case HF_PEER_VERIFIED:
        return hf_certificate_json(hf_conn_peer_certificate(conn, 0), out, size);
    }
    return sink_end(&s);
}
