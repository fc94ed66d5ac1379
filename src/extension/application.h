/* application.h: what the application adds to a block of extensions, and what it is given of one. All of these do
 * nothing where the configuration has no such extensions. */
#ifndef EXTENSION_APPLICATION_H
#define EXTENSION_APPLICATION_H

#include "extension/extension.h"

/* application_write writes the application's extensions for this message. An answer is only written where the peer
 * has asked. When the application fails, the error is set and the writer fails. */
void application_write(struct nego *n, struct wr *w, unsigned message);

/* application_knows: id is one of the application's, so that it may be there; *fault says where it may not:
 * HF_E_MISPLACED_EXTENSION, HF_E_UNSOLICITED_EXTENSION, or HF_OK. */
bool application_knows(const struct nego *n, uint16_t id, unsigned message, hf_code *fault);

/* application_take gives the application what came for it, in its order. */
bool application_take(struct nego *n, const struct ext_values *v, unsigned message)
    __attribute__((warn_unused_result));

#endif
