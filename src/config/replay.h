/* replay.h: which ClientHellos with early data were seen already, so that none is accepted twice (RFC 8446
 * 8.2, ClientHello recording). Bounded in time, because hellos whose ticket's age is off by more than a
 * window are refused without being remembered (8.3), and in number. */
#ifndef CONFIG_REPLAY_H
#define CONFIG_REPLAY_H

#include "config/config.h"

struct replay *replay_new(void);
struct replay *replay_ref(struct replay *replay);
void replay_free(struct replay *replay);

/* replay_start begins the record, when the configuration freezes. */
bool replay_start(const hf_config *config) __attribute__((warn_unused_result));

/* replay_first says whether this hello, by its first binder, is new within the configuration's window, and
 * remembers it. It asks the application's store instead where there is one. false as well: the record is
 * full, or younger than the window (what was accepted before this process started is not known), or there
 * is no memory: early data is then refused, which costs a round trip and nothing else. */
bool replay_first(const hf_config *config, struct slice binder);

#endif
