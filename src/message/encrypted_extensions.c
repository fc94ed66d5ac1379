/* encrypted_extensions.c: EncryptedExtensions. */
#include "message/message.h"

/* struct { Extension extensions<0..2^16-1>; } EncryptedExtensions;           RFC 8446 4.3.1 */
bool msg_read_encrypted_extensions(struct rd *r, struct rd *extensions)
{
    *extensions = rd_vec16(r, "extensions", 0, 65535);
    return rd_end(r);
}
