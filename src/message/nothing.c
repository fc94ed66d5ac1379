/* nothing.c: HelloRequest and ServerHelloDone, which have no content. */
#include "message/message.h"

/* struct { } HelloRequest;                                                   RFC 5246 7.4.1.1
 * struct { } ServerHelloDone;                                                RFC 5246 7.4.5 */
bool msg_read_nothing(struct rd *r)
{
    return rd_end(r);
}
