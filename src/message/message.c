/* message.c: what is known about each type of handshake message, and its header. */
#include "message/message.h"

#include "bytes/names.h"

const uint8_t hello_retry_random[RANDOM_SIZE] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

const char *msg_name(uint8_t type)
{
    return name_message(type);
}

const char *msg_rfc(uint8_t type)
{
    switch (type) {
    case MSG_CLIENT_HELLO: return "RFC 8446 4.1.2";
    case MSG_SERVER_HELLO: return "RFC 8446 4.1.3";
    case MSG_HELLO_RETRY_REQUEST: return "RFC 8446 4.1.4";
    case MSG_ENCRYPTED_EXTENSIONS: return "RFC 8446 4.3.1";
    case MSG_CERTIFICATE_REQUEST: return "RFC 8446 4.3.2";
    case MSG_CERTIFICATE: return "RFC 8446 4.4.2";
    case MSG_CERTIFICATE_VERIFY: return "RFC 8446 4.4.3";
    case MSG_FINISHED: return "RFC 8446 4.4.4";
    case MSG_END_OF_EARLY_DATA: return "RFC 8446 4.5";
    case MSG_NEW_SESSION_TICKET: return "RFC 8446 4.6.1";
    case MSG_KEY_UPDATE: return "RFC 8446 4.6.3";
    case MSG_COMPRESSED_CERTIFICATE: return "RFC 8879 4";
    case MSG_MESSAGE_HASH: return "RFC 8446 4.4.1";
    default: return "RFC 8446 4";
    }
}

const char *msg_rfc12(uint8_t type)
{
    switch (type) {
    case MSG_HELLO_REQUEST: return "RFC 5246 7.4.1.1";
    case MSG_CLIENT_HELLO: return "RFC 5246 7.4.1.2";
    case MSG_SERVER_HELLO: return "RFC 5246 7.4.1.3";
    case MSG_CERTIFICATE: return "RFC 5246 7.4.2";
    case MSG_SERVER_KEY_EXCHANGE: return "RFC 5246 7.4.3";
    case MSG_CERTIFICATE_REQUEST: return "RFC 5246 7.4.4";
    case MSG_SERVER_HELLO_DONE: return "RFC 5246 7.4.5";
    case MSG_CLIENT_KEY_EXCHANGE: return "RFC 5246 7.4.7";
    case MSG_CERTIFICATE_VERIFY: return "RFC 5246 7.4.8";
    case MSG_FINISHED: return "RFC 5246 7.4.9";
    case MSG_CHANGE_CIPHER_SPEC: return "RFC 5246 7.1";
    case MSG_CERTIFICATE_STATUS: return "RFC 6066 8";
    case MSG_NEW_SESSION_TICKET: return "RFC 5077 3.3";
    default: return "RFC 5246 7.4";
    }
}

/* A length prefix of 24 bits lets a peer ask for 16 MiB. Each limit is what an honest peer can need
 * and no more; the smallest ones leave room for a few bytes too many, so that such a message is
 * refused by its reader, with decode_error, and not for its size. */
size_t msg_max_size(uint8_t type)
{
    switch (type) {
    /* As many suites, compression methods and extensions as can be encoded. Real hellos with a
     * post-quantum share, ECH and padding have 2 to 4 KB. */
    case MSG_CLIENT_HELLO: return 2 + 32 + 1 + 32 + 2 + 65534 + 1 + 255 + 2 + 65535;
    /* The same for its answer. */
    case MSG_SERVER_HELLO: return 65536;
    /* ALPN, a list of groups, the ECH configurations for another try. */
    case MSG_ENCRYPTED_EXTENSIONS: return 16384;
    /* The names of all authorities that are trusted fill one extension of at most 64 KB. */
    case MSG_CERTIFICATE_REQUEST: return 65536 + 512;
    /* MSG_MAX_CERTIFICATES certificates of 8 KB, as ML-DSA makes them. */
    case MSG_CERTIFICATE: return 131072;
    /* The same, when compressing made it longer. */
    case MSG_COMPRESSED_CERTIFICATE: return 131072 + 1024;
    /* ML-DSA-87 has 4627 bytes, RSA-8192 has 1024. */
    case MSG_CERTIFICATE_VERIFY: return 16384;
    case MSG_FINISHED: return 64 + 16;
    /* A ticket may carry the client's certificates. */
    case MSG_NEW_SESSION_TICKET: return 65536 + 512;
    case MSG_END_OF_EARLY_DATA: return 16;
    case MSG_KEY_UPDATE: return 16;
    default: return 0;
    }
}

size_t msg_max_size12(uint8_t type)
{
    switch (type) {
    case MSG_HELLO_REQUEST:
    case MSG_SERVER_HELLO_DONE: return 16;
    /* The authorities fill a list of at most 64 KB, the signature algorithms are a few. */
    case MSG_CERTIFICATE_REQUEST: return 65536 + 1024;
    /* A group of 8192 bits has three numbers of 1 KB, and there is the signature and a hint. */
    case MSG_SERVER_KEY_EXCHANGE: return 16384;
    /* A public value or what an RSA key encrypts, and an identity. */
    case MSG_CLIENT_KEY_EXCHANGE: return 16384;
    /* An OCSP response may carry the certificates of its responder. */
    case MSG_CERTIFICATE_STATUS: return 65536;
    case MSG_CLIENT_HELLO:
    case MSG_SERVER_HELLO:
    case MSG_CERTIFICATE:
    case MSG_CERTIFICATE_VERIFY:
    case MSG_FINISHED:
    case MSG_NEW_SESSION_TICKET: return msg_max_size(type);
    default: return 0; /* TLS 1.3's own */
    }
}

/* struct {
 *     HandshakeType msg_type;
 *     uint24 length;
 *     select (Handshake.msg_type) { ... };
 * } Handshake;                                                               RFC 8446 4 */
size_t msg_begin(struct wr *w, uint8_t type)
{
    wr_u8(w, type);
    return wr_open(w, 3);
}

void msg_finish(struct wr *w, size_t mark)
{
    wr_close(w, mark, 3);
}
