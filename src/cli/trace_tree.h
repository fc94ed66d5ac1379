/* trace_tree.h: the parts of one message, from the GROUP and FIELD events of a trace.
 *
 * Events come in the order of parsing, which is not the order of bytes; ranges decide who contains
 * whom. Whatever the events are, the leaves of the finished tree cover every byte of the message
 * exactly once: bytes that no event claims become leaves of their own, marked as gaps. */
#ifndef CLI_TRACE_TREE_H
#define CLI_TRACE_TREE_H

#include "handfast.h"

struct trace_node {
    size_t offset, size;
    const hf_trace_event *event; /* NULL for the root and for gaps */
    const char *name; /* of gaps: "msg_type", "length", or "" for what was not opened */
    bool leaf, gap;
    struct trace_node *first, *next; /* children, by offset */
};

struct trace_tree {
    struct trace_node *nodes; /* nodes[0] is the root */
    size_t count, size;
};

/* trace_tree_build makes the tree of a message of `size` bytes that travelled in records of this
 * content type. Its events are pointers into memory that must outlive it. false without memory. */
bool trace_tree_build(struct trace_tree *tree, const hf_trace_event *const *events,
                      size_t count, size_t size, unsigned content_type);
void trace_tree_clear(struct trace_tree *tree);

#endif
