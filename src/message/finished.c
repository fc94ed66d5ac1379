/* finished.c: Finished. */
#include "message/message.h"

/* struct { opaque verify_data[Hash.length]; } Finished;                      RFC 8446 4.4.4 */
bool msg_read_finished(struct rd *r, size_t hash_len, struct slice *verify_data)
{
    *verify_data = rd_bytes(r, "verify_data", hash_len);
    return rd_end(r);
}
