/* cert.h: the parts of handfast cert: reading, showing and writing certificates. */
#ifndef CLI_CERT_H
#define CLI_CERT_H

#include "cli/options.h"
#include "cli/text.h"
#include "handfast_issue.h"

/* The verbs. Each returns the exit status. */
int cert_show(const struct options *o);
int cert_fetch(const struct options *o);
int cert_convert(const struct options *o);
int cert_check(const struct options *o);
int cert_make(const struct options *o);

/* One row for each verb; `mask` chooses its options (options.h). */
struct cert_verb {
    const char *name;
    unsigned mask;
    int (*run)(const struct options *o);
    const char *usage, *summary, *more;
};
extern const struct cert_verb cert_verbs[];
extern const size_t cert_verb_count;

/* cert_help explains a verb, or all of them (verb NULL). Returns the exit status. */
int cert_help(FILE *out, const char *verb);

/* What a word of the command line stands for: a file (PEM, DER, PKCS#12), "-" for standard input, or a server. */
struct cert_input {
    const char *name;          /* for messages */
    hf_certificate_list certs; /* own certificate first */
    hf_credential *cred;       /* with its key, where the input has one that was asked for */
    bool server;               /* it was a server */
    char host[300];            /* of the server */
};

/* cert_read reads it. with_key: a private key in the input (or in --key) is wanted as well. false with *err; nothing was
 * reported. */
bool cert_read(struct cert_input *in, const struct options *o, bool with_key, hf_error *err);
void cert_input_clear(struct cert_input *in);

/* cert_passphrase is an hf_passphrase_fn: the first line of the file `arg` (a struct cert_asking), or of what is typed
 * on the terminal, without showing it. */
struct cert_asking {
    const char *file;   /* --passphrase-file, or NULL */
    const char *prompt; /* what is asked for */
    bool twice;         /* ask again, and compare */
};
int cert_passphrase(char *out, size_t size, void *arg);

/* cert_text writes one certificate in lines, cert_json as an object: Python's dictionary and more members. */
void cert_text(struct text *out, const hf_certificate *cert, const char *title);
void cert_json(struct text *out, const hf_certificate *cert);
void cert_pem(struct text *out, const hf_certificate *cert);

/* cert_write writes to --output, or to standard output. A new file is readable by its owner only where it is secret; an
 * old one is replaced with --force only. false with *err. */
bool cert_write(const struct options *o, const void *p, size_t len, bool secret, hf_error *err);

/* cert_write_file does so with a path. */
bool cert_write_file(const char *path, const void *p, size_t len, bool secret, bool force,
                     hf_error *err);

/* cert_usage says what is wrong with the words, and returns the exit status for that. */
int cert_usage(const char *verb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
