#include "cli/trace_page.h"

#include <string.h>

/* The protected part of a record of TLS 1.2 and older: which bytes are nonce, ciphertext, tag and MAC. */
struct layout {
    size_t before, behind; /* around the ciphertext; behind stands in clear text */
    const char *before_name, *before_why;
    const char *cipher_why;
    const char *behind_name, *behind_why;
};

enum { BLOCK = 16 };

static bool starts(const char *s, const char *with)
{
    return s && strncmp(s, with, strlen(with)) == 0;
}

static size_t mac_size(const char *mac)
{
    return starts(mac, "SHA384")   ? 48
           : starts(mac, "SHA256") ? 32
           : starts(mac, "SHA")    ? 20
                                   : 16;
}

/* RFC 5288 3, RFC 6655 3, RFC 7905 2. */
static struct layout layout_aead(const hf_suite_info *s)
{
    bool chacha = starts(s->encryption, "CHACHA");
    return (struct layout){
        .before = chacha ? 0 : 8,
        .before_name = "nonce_explicit",
        .before_why =
            "The part of the nonce that travels, different for each record. The other four bytes are "
            "the write IV, which both sides know from the key block.",
        .cipher_why =
            chacha
                ? "The content, encrypted. The nonce does not travel: it is the write IV with the "
                  "record's number added."
                : "The content, encrypted.",
        .behind = starts(s->encryption, "AESCCM8") ? 8 : 16,
        .behind_name = "tag",
        .behind_why =
            "Proves that nobody changed the record, its header or its place in the order.",
    };
}

/* RFC 5246 6.2.3.2, RFC 4346 6.2.3.2, RFC 2246 6.2.3.2, RFC 7366 3. */
static struct layout layout_cbc(const struct page *p)
{
    bool iv = p->version >= HF_TLS1_1;
    return (struct layout){
        .before = iv ? BLOCK : 0,
        .before_name = "IV",
        .before_why = "What the first block is mixed with: random, new for each record.",
        .cipher_why =
            p->etm ? "Content and padding, encrypted."
            : iv
                ? "Content, MAC and padding, encrypted together. The MAC is inside, so a receiver must "
                  "decrypt before it knows whether the record is genuine: Lucky Thirteen and POODLE come "
                  "from that."
                : "Content, MAC and padding, encrypted together. The IV is the last block of the record "
                  "before: who can predict that can guess content (BEAST).",
        .behind = p->etm ? mac_size(p->suite.mac) : 0,
        .behind_name = "MAC",
        .behind_why =
            "Over the ciphertext: a forged record is refused before anything is decrypted.",
    };
}

static struct layout layout_null(const struct page *p)
{
    return (struct layout){
        .cipher_why = "The content in clear text: this suite does not encrypt.",
        .behind = mac_size(p->suite.mac),
        .behind_name = "MAC",
        .behind_why = "Proves that nobody changed the record or its place in the order.",
    };
}

static struct layout layout_of(const struct page *p)
{
    if (starts(p->suite.mac, "AEAD"))
        return layout_aead(&p->suite);
    return p->suite.bits ? layout_cbc(p) : layout_null(p);
}

void page_fragment12(struct page *p, const hf_trace_event *record,
                     const hf_trace_event *content)
{
    const uint8_t *bytes = record->bytes + 5;
    size_t len = record->size - 5;
    struct layout l =
        p->suite.name ? layout_of(p) : (struct layout){.cipher_why = "Ciphertext."};
    /* What does not fit together is better shown whole. */
    if (l.before + l.behind + content->size > len)
        l.before = l.behind = 0;
    const uint8_t *cipher = bytes + l.before;
    size_t cipher_len = len - l.before - l.behind;
    bool open = p->suite.name && p->suite.bits == 0;
    if (!open && page_is_decrypted(cipher, cipher_len, content))
        l.cipher_why =
            "Already decrypted in its place: the content, and in CBC suites what fills the last "
            "block. On the line it was ciphertext.";
    if (l.before)
        page_leaf(p, bytes, l.before, l.before_name, "", l.before_why);
    page_cipher(p, cipher, cipher_len, content->number == 23, open ? "content" : "ciphertext",
                l.cipher_why);
    if (l.behind)
        page_leaf(p, bytes + len - l.behind, l.behind, l.behind_name, "", l.behind_why);
}
