/* output.h: standard output, which may be full, closed, or a pipe whose reader has gone. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

/* output_prepare sees to it that the descriptors 0, 1 and 2 are taken. Else a socket or a file of ours would get
 * one of these numbers, and what is written for people would go there. Reading from what was closed finds
 * nothing, writing to it fails. */
void output_prepare(void);

/* output_reader_gone ends the program as others in a pipe end when nobody reads them any more: by SIGPIPE. */
void output_reader_gone(void);

/* output_end writes out what is left and returns the exit status: `status`, or that of a file that cannot be
 * written, which is said on stderr. */
int output_end(int status);

#endif
