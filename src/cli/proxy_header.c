#include "cli/proxy_header.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli/proxy_worker.h"

/* Types of section 2.2, and bits of 2.2.6. */
enum {
    TLV_ALPN = 1,
    TLV_AUTHORITY = 2,
    TLV_SSL = 0x20,
    TLV_SSL_VERSION = 0x21,
    TLV_SSL_CIPHER = 0x23
};
enum { CLIENT_SSL = 1, CLIENT_CERT_CONN = 2, CLIENT_CERT_SESS = 4 };

/* A socket for both families says IPv4 addresses in the IPv6 form. */
static void unmap(const struct sockaddr *a, union place_address *out)
{
    memset(out, 0, sizeof *out);
    out->any.sa_family = a->sa_family;
    if (a->sa_family == AF_INET)
        memcpy(&out->v4, a, sizeof out->v4);
    else if (a->sa_family == AF_INET6)
        memcpy(&out->v6, a, sizeof out->v6);
    if (a->sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&out->v6.sin6_addr))
        return;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = out->v6.sin6_port};
    memcpy(&v4.sin_addr, out->v6.sin6_addr.s6_addr + 12, 4);
    out->v4 = v4;
}

static size_t write_line(uint8_t *out, const union place_address *from,
                         const union place_address *to)
{
    char a[INET6_ADDRSTRLEN] = "", b[INET6_ADDRSTRLEN] = "";
    bool four = from->any.sa_family == AF_INET;
    if (from->any.sa_family != to->any.sa_family || (!four && from->any.sa_family != AF_INET6))
        return (size_t)snprintf((char *)out, HEADER_MAX, "PROXY UNKNOWN\r\n");
    inet_ntop(from->any.sa_family,
              four ? (const void *)&from->v4.sin_addr : (const void *)&from->v6.sin6_addr, a,
              sizeof a);
    inet_ntop(from->any.sa_family,
              four ? (const void *)&to->v4.sin_addr : (const void *)&to->v6.sin6_addr, b,
              sizeof b);
    return (size_t)snprintf((char *)out, HEADER_MAX, "PROXY TCP%d %s %s %u %u\r\n",
                            four ? 4 : 6, a, b,
                            ntohs(four ? from->v4.sin_port : from->v6.sin6_port),
                            ntohs(four ? to->v4.sin_port : to->v6.sin6_port));
}

static size_t put(uint8_t *out, size_t at, const void *p, size_t len)
{
    memcpy(out + at, p, len);
    return at + len;
}

static size_t put_tlv(uint8_t *out, size_t at, uint8_t type, const void *p, size_t len)
{
    const uint8_t head[3] = {type, (uint8_t)(len >> 8), (uint8_t)len};
    return put(out, put(out, at, head, 3), p, len);
}

static size_t put_addresses(uint8_t *out, size_t at, const union place_address *from,
                            const union place_address *to)
{
    if (from->any.sa_family == AF_INET) {
        at = put(out, at, &from->v4.sin_addr, 4);
        at = put(out, at, &to->v4.sin_addr, 4);
        at = put(out, at, &from->v4.sin_port, 2);
        return put(out, at, &to->v4.sin_port, 2);
    }
    at = put(out, at, &from->v6.sin6_addr, 16);
    at = put(out, at, &to->v6.sin6_addr, 16);
    at = put(out, at, &from->v6.sin6_port, 2);
    return put(out, at, &to->v6.sin6_port, 2);
}

static size_t put_tls(uint8_t *out, size_t at, const hf_conn *conn)
{
    size_t len = 0;
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    const char *name = hf_conn_server_name(conn);
    const char *version = hf_version_name(hf_conn_version(conn));
    const char *suite = hf_suite_name(hf_conn_suite(conn));
    uint8_t sub[200], client = CLIENT_SSL;
    uint32_t verify =
        htonl(!hf_conn_verified(conn)); /* 0: a certificate was shown, and is good */
    if (alpn)
        at = put_tlv(out, at, TLV_ALPN, alpn, len);
    if (name && strlen(name) < 256)
        at = put_tlv(out, at, TLV_AUTHORITY, name, strlen(name));
    if (hf_conn_peer_certificate(conn, 0))
        client |= CLIENT_CERT_SESS | (hf_conn_resumed(conn) ? 0 : CLIENT_CERT_CONN);
    size_t n = put(sub, 0, &client, 1);
    n = put(sub, n, &verify, 4);
    n = put_tlv(sub, n, TLV_SSL_VERSION, version, strlen(version));
    n = put_tlv(sub, n, TLV_SSL_CIPHER, suite, strlen(suite));
    return put_tlv(out, at, TLV_SSL, sub, n);
}

size_t header_write(uint8_t out[HEADER_MAX], unsigned version, const struct sockaddr *from,
                    const struct sockaddr *to, const hf_conn *conn)
{
    static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n";
    union place_address a, b;
    unmap(from, &a);
    unmap(to, &b);
    if (version == 1)
        return write_line(out, &a, &b);
    bool known = a.any.sa_family == b.any.sa_family &&
                 (a.any.sa_family == AF_INET || a.any.sa_family == AF_INET6);
    size_t at = put(out, 0, signature, sizeof signature);
    out[at++] = 0x21; /* version 2, PROXY */
    out[at++] = !known ? 0 : a.any.sa_family == AF_INET ? 0x11 : 0x21;
    at += 2;
    if (known)
        at = put_addresses(out, at, &a, &b);
    if (conn)
        at = put_tls(out, at, conn);
    out[14] = (uint8_t)((at - 16) >> 8);
    out[15] = (uint8_t)(at - 16);
    return at;
}

bool header_put(struct pair *p)
{
    uint8_t header[HEADER_MAX];
    struct sockaddr_storage to = {0};
    socklen_t len = sizeof to;
    unsigned version = p->w->setup->o.proxy_protocol[1] == '1' ? 1 : 2;
    getsockname(p->client.fd, (struct sockaddr *)&to, &len);
    size_t n = header_write(header, version, &p->from.any, (const struct sockaddr *)&to,
                            p->client.conn);
    return end_put(&p->backend, header, n);
}
