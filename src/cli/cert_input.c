/* cert_input.c: where certificates come from. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cert.h"
#include "cli/settings.h"
#include "cli/target.h"

enum { FILE_MOST = 16 << 20 };

/* ---------------------------------------------------------------- passphrases */

static int first_line(FILE *f, char *out, size_t size)
{
    size_t n = 0;
    int c;
    while ((c = fgetc(f)) != EOF && c != '\n') {
        if (n == size)
            return -1;
        out[n++] = (char)c;
    }
    return n > 0 && out[n - 1] == '\r' ? (int)n - 1 : (int)n;
}

static int from_file(const char *path, char *out, size_t size)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!f) {
        fprintf(stderr, "handfast cert: %s: %s\n", path, strerror(errno));
        return -1;
    }
    setvbuf(f, NULL, _IONBF, 0); /* so that no copy of a secret stays in a buffer */
    int n = first_line(f, out, size);
    if (f != stdin)
        fclose(f);
    return n;
}

static int ask_once(FILE *tty, const char *prompt, char *out, size_t size)
{
    struct termios before, quiet;
    int fd = fileno(tty);
    if (tcgetattr(fd, &before) != 0)
        return -1;
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(tty, "%s: ", prompt);
    fflush(tty);
    tcsetattr(fd, TCSAFLUSH, &quiet);
    int n = first_line(tty, out, size);
    tcsetattr(fd, TCSAFLUSH, &before);
    fputs("\n", tty);
    return n;
}

static int from_terminal(const struct cert_asking *asking, char *out, size_t size)
{
    FILE *tty = fopen("/dev/tty", "r+");
    if (!tty)
        return -1;
    setvbuf(tty, NULL, _IONBF, 0);
    int n = ask_once(tty, asking->prompt, out, size);
    if (n >= 0 && asking->twice) {
        char again[1024];
        int m = ask_once(tty, "once more", again, sizeof again);
        if (m != n || memcmp(again, out, (size_t)n) != 0) {
            fputs("handfast cert: the two are not the same\n", stderr);
            n = -1;
        }
        explicit_bzero(again, sizeof again);
    }
    fclose(tty);
    return n;
}

int cert_passphrase(char *out, size_t size, void *arg)
{
    const struct cert_asking *asking = arg;
    return asking->file ? from_file(asking->file, out, size) : from_terminal(asking, out, size);
}

/* ---------------------------------------------------------------- files */

/* PFX ::= SEQUENCE { version INTEGER {v3(3)}, ... (RFC 7292 4): nothing else here begins with the number 3. */
static bool is_pkcs12(const unsigned char *p, size_t len)
{
    size_t skip = len > 1 && p[1] >= 0x80 ? 2 + (p[1] & 0x7fU) : 2;
    return len > skip + 3 && p[0] == 0x30 && memcmp(p + skip, "\x02\x01\x03", 3) == 0;
}

static bool copy_chain(struct cert_input *in, const hf_certificate_list *others)
{
    size_t n = 0;
    while (in->cred && hf_credential_certificate(in->cred, n))
        n++;
    /* Through PEM, because a list has memory of its own. */
    struct text pem = {0};
    for (size_t i = 0; i < n; i++)
        cert_pem(&pem, hf_credential_certificate(in->cred, i));
    for (size_t i = 0; i < others->count; i++)
        cert_pem(&pem, others->cert[i]);
    bool ok = text_ok(&pem) && hf_certificates_read(pem.p, pem.len, &in->certs, NULL);
    text_clear(&pem);
    return ok;
}

static bool read_pkcs12(struct cert_input *in, const unsigned char *p, size_t len,
                        hf_passphrase_fn fn, void *arg, hf_error *err)
{
    hf_certificate_list others;
    if (!hf_pkcs12_read(p, len, fn, arg, &in->cred, &others, err))
        return false;
    bool ok = copy_chain(in, &others);
    hf_certificates_clear(&others);
    return ok || settings_fail(err, HF_E_PEM, 0, "%s: there is no certificate in it", in->name);
}

static bool has_key(const unsigned char *p, size_t len)
{
    return memmem(p, len, "PRIVATE KEY-----", 16) != NULL;
}

static bool read_key(struct cert_input *in, const unsigned char *p, size_t len,
                     const char *key_file, struct cert_asking *asking, hf_error *err)
{
    size_t key_len = 0;
    unsigned char *key =
        key_file ? settings_read_file(key_file, FILE_MOST, &key_len, err) : NULL;
    if (key_file && !key)
        return false;
    in->cred = hf_credential_load_memory(p, len, key, key_len, cert_passphrase, asking, err);
    if (key)
        explicit_bzero(key, key_len);
    free(key);
    return in->cred != NULL;
}

static bool read_bytes(struct cert_input *in, const struct options *o, bool with_key,
                       const unsigned char *p, size_t len, hf_error *err)
{
    struct cert_asking asking = {o->passphrase_file, "passphrase", false};
    char prompt[300];
    snprintf(prompt, sizeof prompt, "passphrase of %.200s", in->name);
    asking.prompt = prompt;
    if (is_pkcs12(p, len))
        return read_pkcs12(in, p, len, cert_passphrase, &asking, err);
    if (!hf_certificates_read(p, len, &in->certs, err))
        return false;
    if (!with_key || !(o->key_file || has_key(p, len)))
        return true;
    return read_key(in, p, len, o->key_file, &asking, err);
}

/* The messages of the library speak of memory where they mean this file. */
static void name_source(const struct cert_input *in, hf_error *err)
{
    static const char *const words[] = {"memory: ", "memory ", "memory, ",
                                        "the chain: ", "the PKCS#12 file "};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        char rest[HF_DETAIL_MAX_LEN];
        if (strncmp(err->detail, words[i], n) != 0)
            continue;
        snprintf(rest, sizeof rest, "%s",
                 err->detail + n - (words[i][n - 2] == ':' || words[i][n - 2] == ',' ? 2 : 1));
        snprintf(err->detail, sizeof err->detail, "%.100s%.140s", in->name, rest);
        return;
    }
}

static bool read_file(struct cert_input *in, const struct options *o, bool with_key,
                      hf_error *err)
{
    size_t len = 0;
    bool standard = strcmp(o->target, "-") == 0;
    in->name = standard ? "standard input" : o->target;
    unsigned char *p = standard ? settings_read_stream(stdin, in->name, FILE_MOST, &len, err)
                                : settings_read_file(o->target, FILE_MOST, &len, err);
    if (!p) {
        if (!standard && err->os_errno == ENOENT && !strchr(o->target, '/'))
            return settings_fail(err, HF_E_FILE, ENOENT,
                                 "%.60s: there is no such file; for a server write tls://%.60s",
                                 o->target, o->target);
        return false;
    }
    bool ok = read_bytes(in, o, with_key, p, len, err);
    explicit_bzero(p, len);
    free(p);
    if (!ok)
        name_source(in, err);
    return ok;
}

/* ---------------------------------------------------------------- servers */

static void host_of(const struct target *t, char *out, size_t size)
{
    const char *from = strstr(t->url, "://");
    from = from ? from + 3 : t->url;
    size_t n = *from == '[' ? strcspn(++from, "]") : strcspn(from, ":/");
    snprintf(out, size, "%.*s", (int)n, from);
}

static bool read_server(struct cert_input *in, const struct options *o, hf_error *err)
{
    struct target t;
    if (!target_parse_starttls(&t, "cert", o->target, o->starttls))
        return settings_fail(err, HF_E_USAGE, 0, "%s", o->target);
    host_of(&t, in->host, sizeof in->host);
    in->name = o->target;
    in->server = true;
    return hf_get_server_certificate(t.url, o->name, NULL, o->timeout, &in->certs, err);
}

bool cert_read(struct cert_input *in, const struct options *o, bool with_key, hf_error *err)
{
    *in = (struct cert_input){.name = o->target};
    if (o->command == CERT_FETCH || o->starttls || strstr(o->target, "://"))
        return read_server(in, o, err);
    return read_file(in, o, with_key, err);
}

void cert_input_clear(struct cert_input *in)
{
    hf_certificates_clear(&in->certs);
    hf_credential_free(in->cred);
    *in = (struct cert_input){0};
}
