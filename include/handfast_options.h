/* handfast_options.h: settings by name and text, with the names that PHP's users know (stream contexts, "ssl" and
 * "socket"): for programs that read them from a file, a command line or a script.
 *
 *     hf_options *o = hf_options_new();
 *     hf_options_set(o, "cafile", "/etc/ssl/our-ca.pem", &err);
 *     hf_options_set(o, "peer_name", "www.example.com", &err);
 *     hf_stream *s = hf_open_with("tls://10.0.0.1:443", o, NULL, &err);
 *
 * There is one table of them; hf_option_at has it, docs/options.md and the manual page print it. What is weaker
 * than the default is marked there (`weakens`), not named insecure_: the names are PHP's.
 *
 * An hf_options belongs to one thread at a time. Streams, listeners and configurations made with it do not need it
 * any more, unless a function says so.
 */
#ifndef HANDFAST_OPTIONS_H
#define HANDFAST_OPTIONS_H

#include "handfast_net.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hf_option_type {
    HF_OPTION_BOOL,    /* yes, no, true, false, on, off, 1, 0; in any letter case */
    HF_OPTION_NUMBER,  /* decimal */
    HF_OPTION_SECONDS, /* decimal, with a fraction; below 0: no limit */
    HF_OPTION_TEXT,
    HF_OPTION_FILE,     /* a path, or what would be in the file: PEM, from "-----BEGIN" on */
    HF_OPTION_FOLDER,   /* a path */
    HF_OPTION_LIST,     /* in order of preference */
    HF_OPTION_VERSIONS, /* "TLSv1.2|TLSv1.3", PHP's names or numbers */
    HF_OPTION_MAP,      /* "name=certificate[:key],..." */
    HF_OPTION_FUNCTION, /* cannot be text: `help` names the call that takes it */
} hf_option_type;

typedef enum hf_option_side { HF_OPTION_CLIENT = 1, HF_OPTION_SERVER = 2, HF_OPTION_SOCKET = 4 } hf_option_side;

/* hf_option_info: one row of the table; all pointers are static. */
typedef struct hf_option_info {
    const char *name;
    hf_option_type type;
    unsigned sides;      /* mask of HF_OPTION_CLIENT and so on: where it means something; elsewhere it is ignored */
    const char *allowed; /* its values, in words: "0 to 5" */
    const char *initial; /* what holds when it is not set */
    const char *help;    /* one sentence */
    bool weakens;        /* some value gives up protection that there is by default */
    bool no_effect;      /* accepted so that old settings can stay, and does nothing: `help` says why */
} hf_option_info;

/* hf_option_at returns the i-th row of the table, NULL past its end; hf_option_find one by its name, NULL if there is
 * no such option. hf_option_type_name: "boolean", "number" and so on. */
HF_API const hf_option_info *hf_option_at(size_t i);
HF_API const hf_option_info *hf_option_find(const char *name);
HF_API const char *hf_option_type_name(hf_option_type type);

typedef struct hf_options hf_options;

/* hf_options_new makes a set in which nothing is set; NULL without memory. hf_options_free wipes it; NULL is
 * allowed. */
HF_API hf_options *hf_options_new(void);
HF_API void hf_options_free(hf_options *options);

/* hf_options_set sets one option; value NULL takes it back. The name may have PHP's wrapper before it ("ssl.",
 * "socket."). E_CONFIG, and nothing is changed: for an unknown name, with the one that is most like it; for a bad
 * value, with the option's type and what is allowed. Files are looked at when the options are used.
 * hf_options_set_line does the same with "name=value"; blanks around either are left out. */
HF_API bool hf_options_set(hf_options *options, const char *name, const char *value,
                           hf_error *err);
HF_API bool hf_options_set_line(hf_options *options, const char *line, hf_error *err);

/* hf_options_get returns an option's value as it was set, NULL if it was not. */
HF_API const char *hf_options_get(const hf_options *options, const char *name);

/* hf_options_apply carries the TLS options over to a configuration that is not frozen yet; its role says which of
 * them count. Those that are not set change nothing. The errors are those of the setters and loaders, with the
 * option's name before them. */
HF_API bool hf_options_apply(const hf_options *options, hf_config *config, hf_error *err);

/* hf_options_net carries the socket's options over, and peer_name, into *net, and leaves the rest of it alone.
 * Strings in it are the options' and live until they are set again or freed. */
HF_API bool hf_options_net(const hf_options *options, hf_net_options *net, hf_error *err);

/* hf_open_with is hf_open, and hf_listen_with hf_listen, with options. base is what they start from: a configuration
 * of the right role, which is not changed, or NULL for hf_config_new's; here callbacks can be set that are no
 * text. The configuration that comes of it is kept with the options for the next call with the same base, so
 * that sessions are found again. net is for what has no name here, or NULL. */
HF_API hf_stream *hf_open_with(const char *url, hf_options *options, hf_config *base,
                               const hf_net_options *net, hf_error *err);
HF_API hf_listener *hf_listen_with(const char *url, hf_options *options, hf_config *base,
                                   const hf_net_options *net, hf_error *err);

/* hf_options_config returns that configuration (a reference of its own), for role and base; NULL on failure. */
HF_API hf_config *hf_options_config(hf_options *options, hf_role role, hf_config *base,
                                    hf_error *err);

/* hf_options_capture keeps a stream's peer certificates with the options where capture_peer_cert or
 * capture_peer_cert_chain is on; hf_open_with calls it, but for a stream that is still connecting, and for one that
 * hf_accept returns, the program does. hf_options_captured returns the i-th, as it was sent: the peer's own first
 * (the only one without capture_peer_cert_chain), NULL past the end; valid until the next capture. The path that
 * was verified is hf_conn_verified_certificate's. */
HF_API bool hf_options_capture(hf_options *options, const hf_stream *stream);
HF_API const hf_certificate *hf_options_captured(const hf_options *options, size_t i);

#ifdef __cplusplus
}
#endif

#endif
