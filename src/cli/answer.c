/* answer.c: what `handfast serve` answers to HTTP requests. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/guest.h"
#include "cli/http.h"
#include "cli/report.h"
#include "cli/trace_facts.h"

/* ---------------------------------------------------------------- pages */

static void pair(struct text *out, const char *name, const char *value)
{
    text_addf(out, "<tr><th scope=row>%s</th><td>", name);
    text_html(out, value ? value : "none");
    text_add(out, "</td></tr>\n");
}

static void connection_rows(struct text *out, const hf_conn *conn)
{
    char number[32];
    size_t len;
    pair(out, "Version", hf_version_name(hf_conn_version(conn)));
    pair(out, "Cipher suite", hf_suite_name(hf_conn_suite(conn)));
    pair(out, "Group", hf_conn_group(conn) ? hf_group_name(hf_conn_group(conn)) : NULL);
    pair(out, "Session", hf_conn_resumed(conn) ? "resumed" : "full handshake");
    pair(out, "HelloRetryRequest", hf_conn_retried(conn) ? "yes" : "no");
    pair(out, "Name asked for", hf_conn_server_name(conn));
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    text_add(out, "<tr><th scope=row>Application protocol</th><td>");
    if (alpn)
        text_html_bytes(out, alpn, len);
    text_addf(out, "%s</td></tr>\n", alpn ? "" : "none");
    const hf_certificate *cert = hf_conn_peer_certificate(conn, 0);
    pair(out, "Client certificate", cert ? hf_certificate_subject(cert) : NULL);
    if (cert)
        pair(out, "Client verified", hf_conn_verified(conn) ? "yes" : "no");
    snprintf(number, sizeof number, "%zu bytes", hf_conn_memory(conn));
    pair(out, "Memory of this connection", number);
}

void page_status(struct text *out, const struct guest *g)
{
    char number[32];
    const hf_conn *conn = hf_stream_conn(g->stream);
    text_add(
        out,
        "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>handfast</title>\n"
        "<meta name=viewport content=\"width=device-width\"><meta name=color-scheme "
        "content=\"light dark\">\n<style>body{font:16px/1.5 system-ui,sans-serif;margin:2em "
        "auto;max-width:44em;padding:0 1em}th{text-align:left;padding-right:2em;font-weight:400;"
        "opacity:.75}td{overflow-wrap:anywhere}</style></head>\n<body><h1>handfast serve</h1>\n"
        "<p>This page was sent over the connection that it describes.</p>\n<table>\n");
    pair(out, "Server", hf_version_string());
    pair(out, "Your address", g->address);
    snprintf(number, sizeof number, "%lu", g->number);
    pair(out, "Connection number", number);
    snprintf(number, sizeof number, "%u", g->requests);
    pair(out, "Request on it", number);
    if (conn)
        connection_rows(out, conn);
    else
        pair(out, "TLS", "no: this is a plain connection");
    text_add(out, "</table></body></html>\n");
}

bool page_show(struct text *out, const struct guest *g)
{
    struct facts_of f;
    if (!g->recording)
        return false;
    facts_take(&f, hf_stream_conn(g->stream), g->recording, g->house->url, true, time(NULL));
    bool good = trace_html(out, g->recording, &f.facts);
    facts_clear(&f);
    return good;
}

/* ---------------------------------------------------------------- answers */

/* The canonical path, so that "//host/folder" cannot lead to another host. */
static void redirect(struct guest *g, const struct http_request *r)
{
    char path[4200];
    struct text location = {0}, body = {0};
    if (!files_decode(r->target, path, sizeof path)) {
        http_refuse(&g->out, r, 400);
        return;
    }
    text_add(&location, "Location: /");
    for (const char *p = path; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("-._~/", *p);
        text_addf(&location, plain ? "%c" : "%%%02X", (unsigned char)*p);
    }
    text_add(&location, "/\r\n");
    text_add(&body, "301 Moved Permanently\n");
    if (text_ok(&location))
        http_page(&g->out, r, 301, "text/plain; charset=utf-8", &body, location.p);
    text_clear(&location);
    text_clear(&body);
}

static int answer_file(struct guest *g, const struct http_request *r)
{
    struct file f;
    int status = files_open(g->house->root, r->target, &f);
    if (status == 301) {
        redirect(g, r);
    } else if (status != 200) {
        http_refuse(&g->out, r, status);
    } else {
        http_head(&g->out, r, 200, f.type, f.size, "");
        if (r->is_head || f.size == 0) {
            close(f.fd);
        } else {
            g->file = f.fd;
            g->file_left = f.size;
        }
    }
    return status;
}

static int answer_page(struct guest *g, const struct http_request *r)
{
    struct text body = {0};
    bool show = g->house->o->show && page_show(&body, g);
    const char *extra =
        "Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\r\n";
    if (!show) {
        text_clear(&body);
        page_status(&body, g);
    }
    if (!text_ok(&body)) {
        http_refuse(&g->out, r, 500);
        text_clear(&body);
        return 500;
    }
    http_page(&g->out, r, 200, "text/html; charset=utf-8", &body, extra);
    text_clear(&body);
    return 200;
}

/* ---------------------------------------------------------------- who asks (RFC 8446 4.6.2) */

static void log_answer(struct guest *g, const hf_certificate *client)
{
    struct text what = {0};
    text_add(&what,
             client ? "after the handshake, client " : "after the handshake, no certificate");
    if (client)
        text_add(&what, hf_certificate_subject(client));
    if (text_ok(&what))
        guest_log(g, "authenticated", what.p, NULL);
    text_clear(&what);
    g->asked = false;
}

/* 0: go on. 403: this client is not to see it. -1: it has been asked who it is. */
static int identify(struct guest *g, const struct http_request *r)
{
    const char *path = g->house->o->ask_later;
    const hf_conn *conn = hf_stream_conn(g->stream);
    hf_error err = {0};
    if (!path || !conn || r->status || strncmp(r->target, path, strlen(path)) != 0)
        return 0;
    const hf_certificate *client = hf_conn_peer_certificate(conn, 0);
    hf_post_auth state = hf_conn_post_auth(conn);
    if (state == HF_POST_AUTH_PENDING)
        return -1;
    if (g->asked)
        log_answer(g, client);
    if (client)
        return 0;
    if (state != HF_POST_AUTH_POSSIBLE ||
        !hf_stream_request_certificate(g->stream, HF_CLIENT_AUTH_REQUEST, &err))
        return 403;
    g->asked = true;
    return -1;
}

bool answer_request(struct guest *g)
{
    struct http_request r;
    size_t used = g->in.len ? http_parse(g->in.p, g->in.len, &r) : 0;
    int known = used ? identify(g, &r) : 0;
    if (used == 0 || known < 0)
        return false;
    if (known)
        r.status = known;
    g->requests++;
    int status = r.status;
    if (status)
        http_refuse(&g->out, &r, status);
    else if (g->house->root >= 0)
        status = answer_file(g, &r);
    else
        status = answer_page(g, &r);
    if (!r.keep_alive)
        g->last_answer = true;
    if (!g->house->o->quiet) {
        struct text what = {0};
        text_addf(&what, "%s %s %d", *r.method ? r.method : "?", *r.target ? r.target : "?",
                  status);
        if (text_ok(&what))
            guest_log(g, "request", what.p, NULL);
        text_clear(&what);
    }
    if (used == g->in.len) {
        text_clear(&g->in);
    } else {
        memmove(g->in.p, g->in.p + used, g->in.len - used);
        g->in.len -= used;
    }
    return true;
}
