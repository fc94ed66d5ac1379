#include "cli/trace_keys.h"

#include <stdio.h>
#include <string.h>

/* The keys of TLS 1.2 and older (RFC 5246 6.3, 8.1): from the key exchange the master secret, from that the key
 * block, and from that the keys. Which there are, and how long, is the suite's. */

enum { MOST = 12 };

struct drawing {
    struct page *page;
    struct box boxes[MOST];
    size_t count;
    char sizes[3][40]; /* of MAC keys, keys and IVs, in words */
};

static void add(struct drawing *d, char place, const char *name, const char *label,
                const char *from, const char *use)
{
    if (d->count < MOST)
        d->boxes[d->count++] = (struct box){
            .name = name, .place = place, .label = label, .from = from, .use = use};
}

static void both(struct drawing *d, const char *client, const char *server, const char *size,
                 const char *for_client, const char *for_server)
{
    add(d, 'd', client, client, size, for_client);
    add(d, 'd', server, server, size, for_server);
}

static unsigned mac_bytes(const char *mac)
{
    return strcmp(mac, "SHA384") == 0   ? 48
           : strcmp(mac, "SHA256") == 0 ? 32
           : strcmp(mac, "MD5") == 0    ? 16
                                        : 20;
}

static void cut(struct drawing *d)
{
    const hf_suite_info *s = &d->page->suite;
    bool aead = strcmp(s->mac, "AEAD") == 0, chacha = strncmp(s->encryption, "CHACHA", 6) == 0;
    unsigned iv = chacha ? 12 : aead ? 4 : s->bits && d->page->version < HF_TLS1_1 ? 16 : 0;
    if (!aead) {
        snprintf(d->sizes[0], sizeof d->sizes[0], "%u bytes", mac_bytes(s->mac));
        both(d, "client_write_MAC_key", "server_write_MAC_key", d->sizes[0],
             "proves what the client sends", "proves what the server sends");
    }
    if (s->bits) {
        snprintf(d->sizes[1], sizeof d->sizes[1], "%u bytes", s->bits / 8);
        both(d, "client_write_key", "server_write_key", d->sizes[1],
             "encrypts what the client sends", "encrypts what the server sends");
    }
    if (iv) {
        snprintf(d->sizes[2], sizeof d->sizes[2], "%u bytes", iv);
        both(d, "client_write_IV", "server_write_IV", d->sizes[2],
             aead ? "the nonces of what the client sends"
                  : "the first record that the client sends",
             aead ? "the nonces of what the server sends"
                  : "the first record that the server sends");
    }
}

void page_keys12(struct page *p)
{
    struct drawing d = {.page = p};
    const struct trace_facts *f = p->facts;
    bool rsa = p->suite.key_exchange && strcmp(p->suite.key_exchange, "RSA") == 0;
    add(&d, 'i', "pre_master_secret", "premaster secret",
        rsa ? "made by the client" : "from the key exchange", NULL);
    add(&d, 's', "master_secret", "Master Secret",
        f->resumed ? "of the session that is resumed"
        : f->ems   ? "PRF with the hash of the handshake"
                   : "PRF with both randoms",
        NULL);
    add(&d, 'd', "verify_data", "verify_data of Finished", "PRF, 12 bytes",
        "with the hash of all messages before it");
    add(&d, 's', "key_block", "Key Block", "PRF with both randoms", "cut into the keys below");
    if (p->suite.name)
        cut(&d);
    keys_draw(
        p, d.boxes, d.count,
        "Keys of TLS 1.2: premaster secret, master secret, key block, and the keys cut from it");
}
