/* options_table.c: the options, one row each. */
#include <strings.h>

#include "config/dh_group.h"
#include "handfast_context.h"
#include "net/options.h"

static bool take(hf_config *config, bool good, hf_error *err)
{
    if (!good && err && hf_config_error(config))
        *err = *hf_config_error(config);
    return good;
}

static unsigned long number_of(const char *value)
{
    double n = 0;
    return value_number(value, &n) ? (unsigned long)n : 0;
}

static bool set_depth(hf_config *config, const char *value, hf_error *err)
{
    return take(config, hf_config_set_verify_depth(config, (unsigned)number_of(value)), err);
}

static bool set_level(hf_config *config, const char *value, hf_error *err)
{
    bool good = hf_config_insecure_set_security_level(config, (unsigned)number_of(value));
    return take(config, good, err);
}

static bool set_ciphers(hf_config *config, const char *value, hf_error *err)
{
    return take(config, hf_config_set_ciphers(config, value), err);
}

static bool set_groups(hf_config *config, const char *value, hf_error *err)
{
    return take(config, hf_config_set_groups(config, value), err);
}

static bool set_dh(hf_config *config, const char *value, hf_error *err)
{
    bool ok = value_is_pem(value)
                  ? dh_params_use(config, "the PEM", (const uint8_t *)value, strlen(value))
                  : hf_config_load_dh_params(config, value);
    return take(config, ok, err);
}

static bool set_alpn(hf_config *config, const char *value, hf_error *err)
{
    return take(config, hf_config_set_alpn(config, value, false), err);
}

static bool set_sni(hf_config *config, const char *value, hf_error *err)
{
    bool on = true;
    return value_bool(value, &on) && take(config, hf_config_set_send_name(config, on), err);
}

static bool set_order(hf_config *config, const char *value, hf_error *err)
{
    bool on = true;
    return value_bool(value, &on) &&
           take(config, hf_config_set_server_preference(config, on), err);
}

static bool set_no_ticket(hf_config *config, const char *value, hf_error *err)
{
    bool on = false;
    return value_bool(value, &on) &&
           (!on || take(config, hf_config_set_tickets(config, 0, 7200), err));
}

static bool set_renegotiation(hf_config *config, const char *value, hf_error *err)
{
    return take(config, hf_config_set_renegotiation(config, (unsigned)number_of(value)), err);
}

static bool set_early(hf_config *config, const char *value, hf_error *err)
{
    bool on = false;
    return value_bool(value, &on) && take(config, hf_config_set_early_data(config, on), err);
}

static bool set_max_early(hf_config *config, const char *value, hf_error *err)
{
    bool good = hf_config_set_max_early_data(config, (uint32_t)number_of(value));
    return take(config, good, err);
}

#define C        HF_OPTION_CLIENT
#define S        HF_OPTION_SERVER
#define CS       (C | S)
#define N        HF_OPTION_SOCKET
#define YES      "yes or no"
#define BOOL     HF_OPTION_BOOL
#define NUMBER   HF_OPTION_NUMBER
#define SECONDS  HF_OPTION_SECONDS
#define TEXT     HF_OPTION_TEXT
#define FILE_    HF_OPTION_FILE
#define LIST     HF_OPTION_LIST
#define VERSIONS HF_OPTION_VERSIONS
#define FUNCTION HF_OPTION_FUNCTION
#define WEAKENS  true, false
#define INERT    false, true
#define PLAIN    false, false
#define A_FILE   "a path, or PEM from \"-----BEGIN\" on"
#define SOME     "a number of seconds; below 0: no limit"
#define RANGE    "TLSv1.0 to TLSv1.3"
#define BASE     "a function: set it on the base configuration"

/* clang-format off */
static const struct option_row rows[] = {
    /* whom to trust */
    {{"peer_name", TEXT, C, "a DNS name or an address", "the URL's host", "The name that the peer's certificate must be for; a DNS name is also sent (SNI).", PLAIN}, 0, 0, NULL},
    {{"verify_peer", BOOL, CS, YES, "yes for clients, no for servers", "Verify the peer's certificate; a server with yes demands one.", WEAKENS}, 0, 0, NULL},
    {{"verify_peer_name", BOOL, C, YES, "yes", "Verify that the certificate is for peer_name.", WEAKENS}, 0, 0, NULL},
    {{"allow_self_signed", BOOL, CS, YES, "no", "Let a certificate pass that nobody has signed but itself. Pin it instead (peer_fingerprint).", WEAKENS}, 0, 0, NULL},
    {{"cafile", FILE_, CS, A_FILE, "the platform's trust, for clients", "Trust these authorities, and no others.", PLAIN}, 0, 0, NULL},
    {{"capath", HF_OPTION_FOLDER, CS, "a path", "the platform's trust, for clients", "Trust the authorities in this folder of hashed names, and no others but cafile's.", PLAIN}, 0, 0, NULL},
    {{"verify_depth", NUMBER, CS, "0 to 63", "10", "Most certificates between the peer's own and the trust anchor.", PLAIN}, 0, 63, set_depth},
    {{"peer_fingerprint", TEXT, CS, "64 hexadecimal digits (SHA-256 of the certificate) or sha256//BASE64 (of its key); several with commas", "none", "Accept only these certificates or keys, besides all other checks. MD5 and SHA-1 are refused.", PLAIN}, 0, 0, NULL},
    {{"capture_peer_cert", BOOL, CS, YES, "no", "Keep the peer's certificate with the options (hf_options_captured).", PLAIN}, 0, 0, NULL},
    {{"capture_peer_cert_chain", BOOL, CS, YES, "no", "Keep the whole chain that the peer sent.", PLAIN}, 0, 0, NULL},
    /* who we are */
    {{"local_cert", FILE_, CS, A_FILE, "none", "The certificate to show, with its chain, and its key unless local_pk has it.", PLAIN}, 0, 0, NULL},
    {{"local_pk", FILE_, CS, A_FILE, "local_cert", "The private key of local_cert.", PLAIN}, 0, 0, NULL},
    {{"passphrase", TEXT, CS, "any text", "none", "The passphrase of encrypted private keys.", PLAIN}, 0, 0, NULL},
    {{"SNI_enabled", BOOL, C, YES, "yes", "Send the name that is wanted (RFC 6066 3).", PLAIN}, 0, 0, set_sni},
    {{"SNI_server_certs", HF_OPTION_MAP, S, "name=certificate[:key], several with commas; *.name for one label", "local_cert alone", "Certificates by the name that a client asks for: exact names first, then *., then local_cert.", PLAIN}, 0, 0, NULL},
    /* what is spoken */
    {{"crypto_method", VERSIONS, CS, RANGE ", several with |; PHP's constants by name or number", "TLSv1.2|TLSv1.3", "The versions of TLS.", WEAKENS}, 0, 0, NULL},
    {{"min_proto_version", VERSIONS, CS, RANGE, "TLSv1.2", "The lowest version. Below TLSv1.2 it needs security_level 0.", WEAKENS}, 0, 0, NULL},
    {{"max_proto_version", VERSIONS, CS, RANGE, "TLSv1.3", "The highest version.", WEAKENS}, 0, 0, NULL},
    {{"security_level", NUMBER, CS, "0 to 5", "2", "What is strong enough, as in OpenSSL; below 2 is weak.", WEAKENS}, 0, 5, set_level},
    {{"ciphers", LIST, CS, "OpenSSL's language: ECDHE+AESGCM:!aNULL", "ECDHE with AEADs", "The suites of TLS 1.2 and older; @SECLEVEL=n sets security_level.", WEAKENS}, 0, 0, set_ciphers},
    {{"ecdh_curve", LIST, CS, "names of groups with colons: X25519:P-256", "X25519MLKEM768:X25519:P-256:P-384", "Groups for the key exchange, best first.", PLAIN}, 0, 0, set_groups},
    {{"dh_param", FILE_, S, A_FILE, "RFC 7919's groups", "The Diffie-Hellman group for clients that name none, of 2048 bits or more; ciphers must allow DHE.", PLAIN}, 0, 0, set_dh},
    {{"alpn_protocols", LIST, CS, "names with commas: h2,http/1.1", "none", "Application protocols, best first (RFC 7301).", PLAIN}, 0, 0, set_alpn},
    {{"honor_cipher_order", BOOL, S, YES, "yes", "The server's order of suites counts, not the client's.", PLAIN}, 0, 0, set_order},
    {{"no_ticket", BOOL, CS, YES, "no", "A server gives no session tickets; a client asks for none in TLS 1.2 and older (in TLS 1.3 it cannot say so, and keeps those that come).", PLAIN}, 0, 0, set_no_ticket},
    {{"reneg_limit", NUMBER, S, "0 to 1000", "0", "How often a connection may renegotiate in all (TLS 1.2 and older, securely: RFC 5746); 0 refuses it. Once more ends the connection.", WEAKENS}, 0, 1000, set_renegotiation},
    {{"early_data", BOOL, C, YES, "no", "Offer early data with sessions that allow it; it may be replayed.", WEAKENS}, 0, 0, set_early},
    {{"max_early_data", NUMBER, S, "0 to 4294967295 bytes", "0", "How much early data to accept; it may be replayed.", WEAKENS}, 0, 4294967295.0, set_max_early},
    {{"session_data", TEXT, C, "hexadecimal digits: what hf_session_export writes", "none", "The session to resume.", PLAIN}, 0, 0, NULL},
    /* what there is nothing to choose about */
    {{"disable_compression", BOOL, CS, YES, "yes", "Always so: TLS compression is not there (CRIME, CVE-2012-4929).", INERT}, 0, 0, NULL},
    {{"single_dh_use", BOOL, S, YES, "yes", "Always so: each connection has a key of its own.", INERT}, 0, 0, NULL},
    {{"single_ecdh_use", BOOL, S, YES, "yes", "Always so: each connection has a key of its own.", INERT}, 0, 0, NULL},
    {{"rsa_key_size", NUMBER, S, "0 to 65536", "none", "Of no use: keys made for one connection were for export suites.", INERT}, 0, 65536, NULL},
    {{"reneg_window", SECONDS, S, SOME, "for ever", "Without effect, and so stricter than PHP: reneg_limit counts for the whole connection, not for so many seconds.", INERT}, -1e9, 1e9, NULL},
    /* functions */
    {{"reneg_limit_callback", FUNCTION, S, BASE, "none", "A connection that renegotiates too often ends with E_RENEGOTIATIONS or is refused: see hf_config_set_renegotiation.", PLAIN}, 0, 0, NULL},
    {{"session_new_cb", FUNCTION, CS, BASE, "none", "hf_config_set_session_callback for clients, hf_config_set_session_store for servers.", PLAIN}, 0, 0, NULL},
    {{"session_get_cb", FUNCTION, S, BASE, "none", "hf_config_set_session_store.", PLAIN}, 0, 0, NULL},
    {{"session_remove_cb", FUNCTION, S, BASE, "none", "hf_config_set_session_store.", PLAIN}, 0, 0, NULL},
    {{"psk_client_cb", FUNCTION, C, BASE, "none", "hf_config_add_psk, or hf_config_set_ask with HF_ASK_PSK.", PLAIN}, 0, 0, NULL},
    {{"psk_server_cb", FUNCTION, S, BASE, "none", "hf_config_add_psk, or hf_config_set_ask with HF_ASK_PSK.", PLAIN}, 0, 0, NULL},
    {{"early_data_cb", FUNCTION, S, BASE, "none", "hf_config_set_ask with HF_ASK_EARLY_DATA.", PLAIN}, 0, 0, NULL},
    /* sockets */
    {{"bindto", TEXT, N, "ADDRESS:PORT, either of which may be 0; [IPV6]:PORT", "the system's choice", "The local address of a client.", PLAIN}, 0, 0, NULL},
    {{"backlog", NUMBER, N, "1 to 65535", "128", "How many clients may wait to be accepted.", PLAIN}, 1, 65535, NULL},
    {{"ipv6_v6only", BOOL, N, YES, "as the URL says", "A listener on an IPv6 address takes no IPv4.", PLAIN}, 0, 0, NULL},
    {{"so_reuseport", BOOL, N, YES, "no", "Several listeners share the address, and the system divides.", PLAIN}, 0, 0, NULL},
    {{"so_broadcast", BOOL, N, YES, "no", "udp may send to broadcast addresses.", PLAIN}, 0, 0, NULL},
    {{"tcp_nodelay", BOOL, N, YES, "yes", "Small segments go at once.", PLAIN}, 0, 0, NULL},
    {{"so_keepalive", BOOL, N, YES, "no", "Probe a peer that is silent.", PLAIN}, 0, 0, NULL},
    {{"tcp_keepidle", NUMBER, N, "1 to 32767 seconds", "the system's", "After so much silence.", PLAIN}, 1, 32767, NULL},
    {{"tcp_keepintvl", NUMBER, N, "1 to 32767 seconds", "the system's", "So long between probes.", PLAIN}, 1, 32767, NULL},
    {{"tcp_keepcnt", NUMBER, N, "1 to 127", "the system's", "So many probes without an answer.", PLAIN}, 1, 127, NULL},
    {{"timeout", SECONDS, N, SOME, "60", "For each read, write and close.", PLAIN}, -1e9, 1e9, NULL},
    {{"connect_timeout", SECONDS, N, SOME, "60", "For resolving, connecting and the handshake together.", PLAIN}, -1e9, 1e9, NULL},
    {{"handshake_timeout", SECONDS, N, SOME, "what is left of connect_timeout", "For the handshake alone.", PLAIN}, -1e9, 1e9, NULL},
    {{"read_timeout", SECONDS, N, SOME, "timeout", "For each read.", PLAIN}, -1e9, 1e9, NULL},
    {{"write_timeout", SECONDS, N, SOME, "timeout", "For each write.", PLAIN}, -1e9, 1e9, NULL},
};
/* clang-format on */
#define ROWS (sizeof rows / sizeof *rows)
_Static_assert(ROWS <= (size_t)OPTIONS_MAX, "hf_options has a place for each row");

const struct option_row *option_rows(size_t *count)
{
    *count = ROWS;
    return rows;
}

const struct option_row *option_row(const char *name)
{
    static const char *const wrappers[] = {"ssl.", "tls.", "socket.", "tcp.", "udp."};
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++) {
        size_t n = strlen(wrappers[i]);
        if (strncasecmp(name, wrappers[i], n) == 0) {
            name += n;
            break;
        }
    }
    for (size_t i = 0; i < ROWS; i++)
        if (strcasecmp(rows[i].info.name, name) == 0)
            return &rows[i];
    return NULL;
}

const hf_option_info *hf_option_find(const char *name)
{
    const struct option_row *row = name ? option_row(name) : NULL;
    return row ? &row->info : NULL;
}

const char *hf_option_type_name(hf_option_type type)
{
    static const char *const names[] = {"boolean", "number", "seconds",  "text", "file",
                                        "folder",  "list",   "versions", "map",  "function"};
    return (unsigned)type < sizeof names / sizeof *names ? names[type] : "unknown";
}
