/* opening.c: what is said in plain text before TLS begins. */
#include "net/opening.h"

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "net/upgrade.h"

/* All that the peer may say before TLS, and a client's commands. */
#define HEARD_MAX    ((size_t)65536)
#define COMMANDS_MAX 100
#define NAME_MAX_LEN 255

struct opening {
    const struct starttls *protocol;
    const struct server_script *script; /* server's part; NULL: client's */
    size_t step, heard, commands;
    bool said; /* the step's command */
    bool ending, going;
    struct buffer in, out;
    size_t scanned;
    struct talk talk;
    char tag[33];
    char *local_name, *domain, *from;
    hf_talk_fn fn;
    void *arg;
};

/* ---------------------------------------------------------------- making */

/* Names become parts of commands and of XML. */
static bool check_name(const char *what, const char *name, hf_error *err)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-._:[]", name[i]))
            return net_fail(err, HF_E_USAGE, 0,
                            "options.%s: \"%.60s\" has a letter at byte %zu that no name has",
                            what, name, i);
    if (n == 0 || n > NAME_MAX_LEN)
        return net_fail(err, HF_E_USAGE, 0, "options.%s has %zu bytes: 1 to %d are allowed",
                        what, n, NAME_MAX_LEN);
    return true;
}

static bool keep_name(const char *what, const char *name, char **out, hf_error *err)
{
    if (!name)
        return true;
    if (!check_name(what, name, err))
        return false;
    *out = mem_strdup(name);
    return *out || net_fail(err, HF_E_NO_MEMORY, 0, "for a name");
}

/* A client is known by the address that it has, which shows only once it is connected (RFC 5321 4.1.3:
 * address literals); a server by its machine's name. */
static bool default_local_name(hf_stream *s, struct opening *o, hf_error *err)
{
    char host[NAME_MAX_LEN + 1] = "", text[NAME_MAX_LEN + 32];
    struct address a = {0};
    socklen_t len = sizeof a;
    size_t colon = 0;

    if (o->local_name)
        return true;
    snprintf(text, sizeof text, "localhost");
    if (o->script) {
        if (gethostname(host, sizeof host - 1) == 0 && check_name("local_name", host, NULL))
            snprintf(text, sizeof text, "%s", host);
    } else if (getsockname(s->fd, &a.u.any, &len) == 0 &&
               (a.u.any.sa_family == AF_INET || a.u.any.sa_family == AF_INET6)) {
        address_text(&a.u.any, len, host, sizeof host);
        for (size_t i = 0; host[i]; i++)
            colon = host[i] == ':' ? i : colon;
        host[strcspn(host, "%]")] = 0;
        if (host[0] == '[')
            snprintf(text, sizeof text, "[IPv6:%s]", host + 1);
        else
            snprintf(text, sizeof text, "[%.*s]", (int)colon, host);
    }
    o->local_name = mem_strdup(text);
    return o->local_name || net_fail(err, HF_E_NO_MEMORY, 0, "for a name");
}

bool opening_serves(const struct starttls *protocol, hf_error *err)
{
    return protocol->about.server ||
           net_fail(err, HF_E_USAGE, 0,
                    "%s: the server's part before TLS is not in handfast: answer the client, "
                    "then call hf_start_tls",
                    protocol->about.name);
}

/* RFC 6120 4.7.1: a server names itself where it can; its address would be no name. */
static bool make_from(struct opening *o, const char *name, hf_error *err)
{
    size_t size = strlen(name) + sizeof " from=''";

    o->from = mem_new(size);
    if (!o->from)
        return net_fail(err, HF_E_NO_MEMORY, 0, "for a name");
    snprintf(o->from, size, " from='%s'", name);
    return true;
}

bool opening_new(hf_stream *s, const struct starttls *protocol, bool server, const char *name,
                 const hf_start_tls_options *options, hf_error *err)
{
    struct opening *o;

    if (server && !opening_serves(protocol, err))
        return false;
    o = mem_new(sizeof *o);
    if (!o)
        return net_fail(err, HF_E_NO_MEMORY, 0, "for the talk before TLS");
    s->opening = o;
    o->protocol = protocol;
    o->script = server ? starttls_server_script(protocol->about.name) : NULL;
    if (options && options->local_name && !make_from(o, options->local_name, err))
        return false;
    o->fn = options ? options->talk : NULL;
    o->arg = options ? options->talk_arg : NULL;
    /* what the name of a peer may look like was checked when its connection was made */
    return keep_name("local_name", options ? options->local_name : NULL, &o->local_name, err) &&
           keep_name("domain", options && options->domain ? options->domain : name, &o->domain,
                     err);
}

void opening_free(struct opening *o)
{
    if (!o)
        return;
    buffer_clear(&o->in);
    buffer_clear(&o->out);
    mem_free(o->local_name);
    mem_free(o->domain);
    mem_free(o->from);
    mem_free(o);
}

/* ---------------------------------------------------------------- failing */

static const char *self(const struct opening *o)
{
    return o->script ? "client" : "server";
}

/* Bytes of the peer's as people can read them, cut where they are too long for a message. */
static void show(struct slice in, char out[164])
{
    size_t at = 0, i = 0;

    while (in.len && isspace(in.p[in.len - 1]))
        in.len--;
    for (; i < in.len && at < 150; i++) {
        if (isprint(in.p[i]) && in.p[i] != '"' && in.p[i] != '\\')
            out[at++] = (char)in.p[i];
        else
            at += (size_t)snprintf(out + at, 5, "\\x%02x", in.p[i]);
    }
    snprintf(out + at, 4, "%s", i < in.len ? "..." : "");
}

static int refused(const struct opening *o, struct slice told, const char *why, hf_error *err)
{
    char text[164];

    show(told, text);
    if (told.len)
        net_fail(err, HF_E_STARTTLS_REFUSED, 0, "%s: \"%s\"", o->protocol->about.name, text);
    else
        net_fail(err, HF_E_STARTTLS_REFUSED, 0, "%s: %s", o->protocol->about.name, why);
    return -1;
}

static const char *waited_for(const struct opening *o)
{
    return o->script ? "a command" : o->protocol->steps[o->step].answer;
}

/* A record where words should be: an alert about our words, or a ClientHello. */
static bool is_tls(struct slice in)
{
    return in.len >= 3 && (in.p[0] == 0x15 || in.p[0] == 0x16) && in.p[1] == 3 && in.p[2] <= 4;
}

static int garbled(const struct opening *o, struct slice unit, hf_error *err)
{
    char text[164];

    if (is_tls(unit)) {
        net_fail_hint(err, HF_E_STARTTLS_REPLY, 0,
                      o->script
                          ? "the client must begin in plain text, or use the port for TLS "
                            "from the first byte"
                          : "this port is for TLS from the first byte: use tls://, or the "
                            "protocol's scheme for it (smtps, imaps ...)",
                      "%s: the %s speaks TLS already", o->protocol->about.name, self(o));
        return -1;
    }
    show(unit, text);
    net_fail(err, HF_E_STARTTLS_REPLY, 0, "%s: where %s should be the %s says \"%s\"",
             o->protocol->about.name, waited_for(o), self(o), text);
    return -1;
}

static int peer_gone(const struct opening *o, hf_error *err)
{
    net_fail(err, HF_E_STARTTLS_REPLY, 0, "%s: the %s closed the connection where %s should be",
             o->protocol->about.name, self(o), waited_for(o));
    return -1;
}

/* The error of reading; a server that says nothing at all may wait for a ClientHello. */
static int not_read(const struct opening *o, hf_error *err)
{
    if (err->code == HF_E_TIMEOUT && !o->script && !o->heard)
        err->hint = "the server said nothing: if this port is for TLS from the first byte, use "
                    "tls://, or the protocol's scheme for it (smtps, imaps ...)";
    return -1;
}

/* ---------------------------------------------------------------- saying */

static bool add(struct opening *o, const void *p, size_t len, hf_error *err)
{
    return buffer_append(&o->out, p, len) ||
           net_fail(err, HF_E_NO_MEMORY, 0, "for the talk before TLS");
}

static const char *placeholder(const struct opening *o, char letter)
{
    switch (letter) {
    case 'l': return o->local_name;
    case 'd': return o->domain ? o->domain : "localhost";
    case 'f': return o->from ? o->from : "";
    case 't': return o->tag;
    default: return "%";
    }
}

/* Text with %l, %d and %t. */
static bool say(hf_stream *s, struct slice text, hf_error *err)
{
    struct opening *o = s->opening;
    size_t before = buffer_len(&o->out);

    if (!default_local_name(s, o, err))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *word;

        if (text.p[i] != '%' || i + 1 == text.len) {
            if (!add(o, text.p + i, 1, err))
                return false;
            continue;
        }
        word = placeholder(o, (char)text.p[++i]);
        if (!add(o, word, strlen(word), err))
            return false;
    }
    if (o->fn)
        o->fn(true, buffer_front(&o->out) + before, buffer_len(&o->out) - before, o->arg);
    return true;
}

static int send_out(hf_stream *s, deadline d, hf_error *err)
{
    struct opening *o = s->opening;

    while (buffer_len(&o->out)) {
        ptrdiff_t n;

        pthread_mutex_lock(&s->writing);
        n = s->ops->write(s, buffer_front(&o->out), buffer_len(&o->out), d, err);
        pthread_mutex_unlock(&s->writing);
        if (n < 0)
            return (int)n;
        buffer_drop(&o->out, (size_t)n);
    }
    return 1;
}

/* ---------------------------------------------------------------- hearing */

static int hear(hf_stream *s, deadline d, hf_error *err)
{
    struct opening *o = s->opening;
    int r = stream_need_data(s, d, err);

    if (r == -1)
        return not_read(o, err);
    if (r == 0)
        return peer_gone(o, err);
    if (r != 1)
        return r;
    o->heard += hf_stream_pending(s);
    if (o->heard > HEARD_MAX) {
        net_fail(err, HF_E_STARTTLS_REPLY, 0, "%s: the %s says more than %zu bytes before TLS",
                 o->protocol->about.name, self(o), HEARD_MAX);
        return -1;
    }
    if ((buffer_len(&s->unread) &&
         !buffer_append(&o->in, buffer_front(&s->unread), buffer_len(&s->unread))) ||
        (s->data_len && !buffer_append(&o->in, s->data, s->data_len))) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for the talk before TLS");
        return -1;
    }
    buffer_clear(&s->unread);
    s->data_len = 0;
    s->ops->ahead(s);
    return 1;
}

static struct slice ahead(const struct opening *o)
{
    return slice_of(buffer_front(&o->in), buffer_len(&o->in));
}

/* 1 with a unit, 0 if there is none yet, -1 with an error. */
static int next_unit(struct opening *o, struct slice *unit, hf_error *err)
{
    struct slice in = ahead(o);
    size_t len = 0;
    int r =
        starttls_unit(o->script ? o->script->frame : o->protocol->frame, in, &o->scanned, &len);

    if (r < 0 && in.len >= STARTTLS_UNIT_MAX) {
        net_fail(err, HF_E_STARTTLS_REPLY, 0,
                 "%s: %s of the %s is longer than the %zu bytes that are allowed",
                 o->protocol->about.name, waited_for(o), self(o), STARTTLS_UNIT_MAX);
        return -1;
    }
    if (r < 0)
        return garbled(o, in, err);
    *unit = slice_of(in.p, len);
    if (r == 1 && o->fn)
        o->fn(false, unit->p, unit->len, o->arg);
    return r;
}

/* ---------------------------------------------------------------- the client's part */

static bool step_there(const struct opening *o)
{
    return o->step < STEPS_MAX &&
           (o->protocol->steps[o->step].say || o->protocol->steps[o->step].judge);
}

/* A server answers what it was asked. What it says before that may be somebody else's (RFC 3207 6). */
static bool say_step(hf_stream *s, const struct step *step, hf_error *err)
{
    struct opening *o = s->opening;
    struct slice text;

    o->said = true;
    if (!step->say)
        return true;
    if (!o->protocol->chatty && !upgrade_guard(s, ahead(o), true, err))
        return false;
    text = slice_of(step->say, step->say_len ? step->say_len : strlen(step->say));
    return say(s, text, err);
}

static void next_step(struct opening *o)
{
    o->step++;
    o->said = false;
    o->talk = (struct talk){0};
}

/* 1: go on, 0: more bytes are needed. */
static int client_turn(hf_stream *s, hf_error *err)
{
    struct opening *o = s->opening;
    const struct step *step = &o->protocol->steps[o->step];
    struct slice unit;
    enum verdict v;
    int r;

    if (!o->said)
        return say_step(s, step, err) ? 1 : -1;
    if (!step->judge) {
        next_step(o);
        return 1;
    }
    r = next_unit(o, &unit, err);
    if (r != 1)
        return r;
    v = step->judge(&o->talk, step, unit);
    if (v == VERDICT_REFUSED)
        return refused(o, o->talk.told, o->talk.why ? o->talk.why : "it does not say why", err);
    if (v == VERDICT_GARBLED)
        return garbled(o, unit, err);
    buffer_drop(&o->in, unit.len);
    if (v == VERDICT_GO)
        next_step(o);
    return 1;
}

/* ---------------------------------------------------------------- the server's part */

static int serve(hf_stream *s, struct slice unit, hf_error *err)
{
    struct opening *o = s->opening;
    struct slice text = {0};
    bool ok = true;

    if (o->script->serve) {
        o->going = o->script->serve(unit, &text, &o->ending) == VERDICT_GO;
    } else {
        const struct answer *a = starttls_answer(o->script, unit, o->tag);

        text = slice_of(a->say, strlen(a->say));
        o->going = a->then == ANSWER_GO;
        o->ending = a->then == ANSWER_END;
    }
    if (o->going) /* nothing may follow the command before it is answered */
        ok = upgrade_guard(s, slice_of(unit.p + unit.len, ahead(o).len - unit.len), true, err);
    return ok && say(s, text, err) ? 1 : -1;
}

static int server_turn(hf_stream *s, hf_error *err)
{
    struct opening *o = s->opening;
    struct slice unit;
    int r;

    if (!o->said) {
        const char *greeting = o->script->greeting;

        o->said = true;
        return !greeting || say(s, slice_of(greeting, strlen(greeting)), err) ? 1 : -1;
    }
    r = next_unit(o, &unit, err);
    if (r != 1)
        return r;
    if (is_tls(unit))
        return garbled(o, unit, err);
    if (++o->commands > COMMANDS_MAX)
        return refused(o, slice_of(NULL, 0), "the client talks, and does not start TLS", err);
    r = serve(s, unit, err);
    if (r == 1 && o->ending) {
        (void)send_out(s, DEADLINE_NOW, NULL);
        return refused(o, unit, "", err);
    }
    buffer_drop(&o->in, unit.len);
    return r;
}

/* ---------------------------------------------------------------- both */

static bool talked(const struct opening *o)
{
    return o->script ? o->going : !step_there(o);
}

static int talk(hf_stream *s, deadline d, hf_error *err)
{
    for (;;) {
        int r = send_out(s, d, err);

        if (r != 1)
            return r;
        if (talked(s->opening))
            return 0;
        r = s->opening->script ? server_turn(s, err) : client_turn(s, err);
        if (r == 0)
            r = hear(s, d, err);
        if (r != 1)
            return r;
    }
}

int opening_run(hf_stream *s, deadline d, hf_error *err)
{
    hf_error why = {0};
    int r = talk(s, d, &why);

    /* a server's guard stood before its answer: now the ClientHello may be there */
    if (r == 0 && !s->opening->script && !upgrade_guard(s, ahead(s->opening), true, &why))
        r = -1;
    if (r == -1) {
        if (why.code != HF_E_TIMEOUT)
            s->failed = mem_dup(&why, sizeof why);
        if (err)
            *err = why;
    }
    if (r != 0)
        return r;
    opening_free(s->opening);
    s->opening = NULL;
    if (s->conn)
        upgrade_switch(s);
    return 0;
}

/* ---------------------------------------------------------------- for programs */

/* What is asked for: the protocol, and whose part is played. */
struct wish {
    const char *who, *name;
    hf_role role;
    bool talk_only;
};

static const struct starttls *find(const char *name, hf_error *err)
{
    const struct starttls *protocol = name ? starttls_find(name, strlen(name)) : NULL;

    if (!protocol)
        net_fail(err, HF_E_USAGE, 0,
                 "\"%.60s\" is no protocol that begins in plain text: "
                 "hf_starttls_protocol_at lists them",
                 name ? name : "");
    return protocol;
}

static bool begin(hf_stream *s, const struct wish *w, hf_config *config,
                  const hf_start_tls_options *options, hf_error *err)
{
    static const hf_start_tls_options defaults = HF_START_TLS_OPTIONS;
    const struct starttls *protocol = find(w->name, err);
    const char *peer = NULL;

    if (!protocol || !upgrade_check(s, w->who, err))
        return false;
    if (!w->talk_only &&
        !upgrade_prepare(s, w->role, config, options ? options : &defaults, err))
        return false;
    if (s->conn && w->role == HF_CLIENT)
        peer = hf_conn_server_name(s->conn);
    if (!opening_new(s, protocol, w->role == HF_SERVER, peer, options, err)) {
        opening_free(s->opening);
        s->opening = NULL;
        tls_clear(s);
        return false;
    }
    s->ready = false;
    s->open_end = 0; /* its time begins now */
    return true;
}

static int start(hf_stream *s, const struct wish *w, hf_config *config,
                 const hf_start_tls_options *options, hf_error *err)
{
    bool again = !s->ready && (s->conn || s->opening); /* after HF_AGAIN */
    int r;

    err_begin(err);
    r = s->ready ? 0 : stream_open(s, DEADLINE_NONE, err);
    if (r != 0 || again)
        return r;
    if (!begin(s, w, config, options, err))
        return -1;
    return stream_open(s, DEADLINE_NONE, err);
}

int hf_starttls(hf_stream *s, const char *protocol, hf_config *config,
                const hf_start_tls_options *options, hf_error *err)
{
    const struct wish w = {"hf_starttls", protocol, HF_CLIENT, false};

    return start(s, &w, config, options, err);
}

int hf_starttls_accept(hf_stream *s, const char *protocol, hf_config *config,
                       const hf_start_tls_options *options, hf_error *err)
{
    const struct wish w = {"hf_starttls_accept", protocol, HF_SERVER, false};

    return start(s, &w, config, options, err);
}

int hf_starttls_talk(hf_stream *s, const char *protocol, const hf_start_tls_options *options,
                     hf_error *err)
{
    const struct wish w = {"hf_starttls_talk", protocol, HF_CLIENT, true};

    return start(s, &w, NULL, options, err);
}

short opening_events(const hf_stream *s)
{
    return s->failed ? 0 : buffer_len(&s->opening->out) ? POLLOUT : POLLIN;
}
