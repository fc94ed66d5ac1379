#include "cli/trace_tree.h"

#include <stdlib.h>
#include <string.h>

/* What contains stands before what it contains: by offset, then the larger, then groups; among equals
 * the one that was reported first. */
static int compare(const void *a, const void *b)
{
    const hf_trace_event *x = *(const hf_trace_event *const *)a;
    const hf_trace_event *y = *(const hf_trace_event *const *)b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind == HF_TRACE_GROUP ? -1 : 1;
    if (x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
    return x < y ? -1 : x > y;
}

static struct trace_node *new_node(struct trace_tree *tree, size_t offset, size_t size)
{
    if (tree->count == tree->size)
        return NULL;
    struct trace_node *n = &tree->nodes[tree->count++];
    *n = (struct trace_node){.offset = offset, .size = size};
    return n;
}

static size_t end_of(const struct trace_node *n)
{
    return n->offset + n->size;
}

/* An event that says nothing new: empty, outside the message, or a second leaf for the same bytes. */
static bool is_useful(const struct trace_node *up, const struct trace_node *last,
                      const hf_trace_event *e)
{
    if (e->offset < up->offset || e->offset > end_of(up) || e->size > end_of(up) - e->offset)
        return false;
    if (e->size == 0)
        return e->kind == HF_TRACE_GROUP;
    if (up->event && up->event->kind == HF_TRACE_FIELD && e->size == up->size)
        return false;
    return !last || e->offset >= end_of(last);
}

/* Nests sorted events by their ranges. The stack is bounded: what lies deeper stays a child of the
 * deepest level. */
static bool nest(struct trace_tree *tree, const hf_trace_event *const *sorted, size_t count)
{
    struct trace_node *stack[32] = {&tree->nodes[0]};
    struct trace_node *last[32] = {NULL};
    size_t top = 0;
    for (size_t i = 0; i < count; i++) {
        const hf_trace_event *e = sorted[i];
        while (top > 0 && e->offset >= end_of(stack[top]))
            top--;
        if (!is_useful(stack[top], last[top], e))
            continue;
        struct trace_node *n = new_node(tree, e->offset, e->size);
        if (!n)
            return false;
        n->event = e;
        n->name = e->name;
        if (last[top])
            last[top]->next = n;
        else
            stack[top]->first = n;
        last[top] = n;
        if (e->size && top + 1 < sizeof stack / sizeof *stack) {
            stack[++top] = n;
            last[top] = NULL;
        }
    }
    return true;
}

static bool add_gap(struct trace_tree *tree, struct trace_node **link, size_t offset,
                    size_t end, const char *name)
{
    struct trace_node *n = new_node(tree, offset, end - offset);
    if (!n)
        return false;
    n->leaf = true;
    n->name = name;
    n->gap = name[0] == '\0';
    n->next = *link;
    *link = n;
    return true;
}

/* What is the same in all messages of a content type needs no event to be opened: the handshake
 * header (RFC 8446 4), an alert's two bytes (6), the one of change_cipher_spec (5). */
static bool fill_header(struct trace_tree *tree, unsigned content_type)
{
    struct trace_node *root = &tree->nodes[0];
    size_t known = content_type == 22 ? 4 : content_type == 21 ? 2 : content_type == 20 ? 1 : 0;
    if (known == 0 || root->size < known || (root->first && root->first->offset < known))
        return true;
    if (content_type == 20)
        return add_gap(tree, &root->first, 0, 1, "type");
    return add_gap(tree, &root->first, 1, known,
                   content_type == 22 ? "length" : "description") &&
           add_gap(tree, &root->first, 0, 1, content_type == 22 ? "msg_type" : "level");
}

static bool fill_gaps(struct trace_tree *tree, struct trace_node *n)
{
    if (!n->first) {
        n->leaf = n->size > 0;
        n->gap = n->leaf && n->name[0] == '\0';
        return true;
    }
    size_t at = n->offset;
    for (struct trace_node **link = &n->first; *link; link = &(*link)->next) {
        struct trace_node *child = *link;
        if (child->offset > at) {
            if (!add_gap(tree, link, at, child->offset, ""))
                return false;
            link = &(*link)->next;
        }
        at = end_of(child);
        if (!child->leaf && !fill_gaps(tree, child))
            return false;
    }
    if (at == end_of(n))
        return true;
    struct trace_node **link = &n->first;
    while (*link)
        link = &(*link)->next;
    return add_gap(tree, link, at, end_of(n), "");
}

bool trace_tree_build(struct trace_tree *tree, const hf_trace_event *const *events,
                      size_t count, size_t size, unsigned content_type)
{
    *tree = (struct trace_tree){0};
    /* Each event may leave one gap before it and one behind its last child. */
    tree->size = 2 * count + 8;
    tree->nodes = calloc(tree->size, sizeof *tree->nodes);
    const hf_trace_event **sorted = malloc((count + 1) * sizeof *sorted);
    bool good = tree->nodes && sorted;
    if (good) {
        if (count)
            memcpy(sorted, events, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare);
        tree->nodes[0] = (struct trace_node){.size = size, .name = ""};
        tree->count = 1;
        good = nest(tree, sorted, count) && fill_header(tree, content_type) &&
               fill_gaps(tree, &tree->nodes[0]);
    }
    free(sorted);
    if (!good)
        trace_tree_clear(tree);
    return good;
}

void trace_tree_clear(struct trace_tree *tree)
{
    free(tree->nodes);
    *tree = (struct trace_tree){0};
}
