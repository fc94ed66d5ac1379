/* transcript.c: the running hash over all handshake messages (RFC 8446 4.4.1). */
#include "handshake/transcript.h"

#include "message/message.h"

bool transcript_add(struct transcript *t, const void *p, size_t len)
{
    if ((t->hash.id == HASH_NONE || t->keep) && !buffer_append(&t->kept, p, len))
        return false;
    if (t->hash.id == HASH_NONE)
        return true;
    hash_update(&t->hash, p, len);
    return true;
}

bool transcript_start(struct transcript *t, enum hash_id id)
{
    if (t->hash.id != HASH_NONE)
        return t->hash.id == id;
    hash_init(&t->hash, id);
    hash_update(&t->hash, buffer_front(&t->kept), buffer_len(&t->kept));
    if (!t->keep)
        buffer_clear(&t->kept);
    return true;
}

void transcript_drop(struct transcript *t)
{
    t->keep = false;
    if (t->hash.id != HASH_NONE)
        buffer_clear(&t->kept);
}

/* "the value of ClientHello1 is replaced with a special synthetic handshake message of handshake
 * type message_hash containing Hash(ClientHello1)" (RFC 8446 4.4.1). */
static void begin_with(struct transcript *t, enum hash_id id, const uint8_t *digest)
{
    size_t len = hash_size(id);
    const uint8_t header[MSG_HEADER] = {MSG_MESSAGE_HASH, 0, 0, (uint8_t)len};
    hash_init(&t->hash, id);
    hash_update(&t->hash, header, sizeof header);
    hash_update(&t->hash, digest, len);
}

void transcript_retry(struct transcript *t)
{
    uint8_t digest[HASH_MAX_SIZE];
    hash_digest(&t->hash, digest);
    begin_with(t, t->hash.id, digest);
}

void transcript_recall(struct transcript *t, enum hash_id id, const uint8_t *digest)
{
    buffer_clear(&t->kept);
    begin_with(t, id, digest);
}

void transcript_digest(const struct transcript *t, uint8_t *out)
{
    hash_digest(&t->hash, out);
}

void transcript_clear(struct transcript *t)
{
    buffer_clear(&t->kept);
    wipe(&t->hash, sizeof t->hash);
}
