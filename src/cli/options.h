/* options.h: the options of all subcommands, in one table. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Subcommands, as a mask: which of them take an option. */
enum { CONNECT = 1, SERVE = 2, TRACE = 4, CIPHERS = 8, PROXY = 64, SCAN = 128 };

/* The verbs of handfast cert. */
enum {
    CERT_SHOW = 1 << 16,
    CERT_FETCH = 1 << 17,
    CERT_CONVERT = 1 << 18,
    CERT_CHECK = 1 << 19,
    CERT_MAKE = 1 << 20,
    CERT = CERT_SHOW | CERT_FETCH | CERT_CONVERT | CERT_CHECK | CERT_MAKE,
};

#define MAX_CERTS 16

struct text_list {
    const char *p[MAX_CERTS];
    size_t count;
};

struct options {
    unsigned command;
    const char *target2; /* proxy: where to */
    const char *target;  /* URL or HOST:PORT, ciphers: the string; NULL if not given */
    const char *ca, *ca_folder, *name, *alpn, *groups, *suites, *signatures, *key_shares;
    const char *ciphers, *lowest, *highest; /* versions as "1.2" */
    const char *session, *get, *keylog, *output, *root, *ocsp, *client_auth, *port_file,
        *ask_later;
    const char *starttls;
    const char *crl_check, *verify_flags, *early_data, *peer_types, *compress_cert;
    struct text_list cert, key, crl, pin, policy, psk, raw_key, trust_key;
    struct text_list named; /* NAME=VALUE */
    bool insecure_no_verify, json, quiet, key_update, psk_ke, echo, reverse, show, www, cookie;
    bool post_auth;
    bool strict;
    uint64_t parallel;
    bool help, tls10, tls11, tls12, tls13, all, names, ids;
    double timeout; /* seconds; 0: not given */
    uint64_t record_size_limit, padding, key_update_after, count, max_connections;
    uint64_t max_early_data;
    int64_t tickets, security_level; /* -1: not given */
    /* proxy */
    const char *to_ca, *to_ca_folder, *to_name, *to_cert, *to_key, *to_alpn, *file;
    const char *proxy_protocol, *access_log, *pid_file, *user;
    bool to_insecure_no_verify;
    double idle, drain, stats;
    uint64_t workers;
    int argc; /* the words themselves, to be read again */
    char **argv;
    /* cert */
    const char *passphrase_file, *out_passphrase_file, *to, *key_file, *time, *key_type,
        *issuer, *ca_name, *subject;
    bool pem, force, no_key, leaf, client, both;
    uint64_t days;
};

/* options_parse reads the arguments behind the subcommand's name. On a mistake it says what is wrong
 * and how to get help on stderr, and returns false. */
bool options_parse(struct options *o, unsigned command, const char *command_name, int argc,
                   char **argv);

/* options_help lists the options of a subcommand. */
void options_help(FILE *out, unsigned command);

/* options_row tells about the i-th row of the table, whichever subcommands it is for; false: there is none. For
 * completions and for tests of the manual. */
struct option_row {
    const char *name, *argument, *help; /* argument NULL: a flag */
    unsigned commands;
    bool is_choice; /* argument is the words, separated by | */
};
bool options_row(size_t i, struct option_row *out);

/* options_nearest returns the candidate that is most like a mistyped word, or NULL if none is. */
const char *options_nearest(const char *word, const char *const *candidates, size_t count);

#endif
