/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/xml.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct reader {
        XML_Parser parser;
        struct xml_node *root;
        struct xml_node *open, *last; /* the innermost element that is not closed, and its last child */
        unsigned depth;
        char *text; /* since the last tag */
        size_t text_size, text_capacity;
        const char *refused; /* why it was stopped */
        bool out_of_memory;
};

static void reader_done(struct reader *reader) {
        if (reader->parser)
                XML_ParserFree(reader->parser);
        xml_free(reader->root);
        free(reader->text);
}

void xml_free(struct xml_node *root) {
        /* Without recursion, which would go as deep as the document. */
        for (struct xml_node *n = root; n;) {
                struct xml_node *next = n->children;

                if (next) {
                        n->children = NULL;
                        n = next;
                        continue;
                }
                next = n == root ? NULL : n->next ? n->next : n->parent;
                for (size_t i = 0; i < n->n_attributes; i++) {
                        free(n->attributes[i].name);
                        free(n->attributes[i].value);
                }
                free(n->attributes);
                free(n->name);
                free(n->text);
                free(n);
                n = next;
        }
}

static void stop(struct reader *reader, const char *refused) {
        reader->refused = refused;
        reader->out_of_memory = !refused;
        (void) XML_StopParser(reader->parser, XML_FALSE);
}

static int fill(struct xml_node *n, const char *name, const char **attributes) {
        size_t count = 0;

        while (attributes[2 * count])
                count++;
        n->name = strdup(name);
        if (count > 0)
                n->attributes = calloc(count, sizeof(*n->attributes));
        if (!n->name || (count > 0 && !n->attributes))
                return -ENOMEM;
        for (; n->n_attributes < count; n->n_attributes++) {
                struct xml_attribute *a = &n->attributes[n->n_attributes];

                a->name = strdup(attributes[2 * n->n_attributes]);
                a->value = strdup(attributes[2 * n->n_attributes + 1]);
                if (a->name && a->value)
                        continue;
                free(a->name);
                free(a->value);
                return -ENOMEM;
        }
        return 0;
}

static void on_start(void *userdata, const char *name, const char **attributes) {
        struct reader *reader = userdata;
        struct xml_node *n;

        if (reader->depth == XML_DEPTH_MAX)
                return stop(reader, "a depth of over 256 elements");
        n = calloc(1, sizeof(*n));
        if (!n)
                return stop(reader, NULL);
        n->parent = reader->open;
        n->line = XML_GetCurrentLineNumber(reader->parser);
        if (reader->last)
                reader->last->next = n;
        else if (reader->open)
                reader->open->children = n;
        else
                reader->root = n;
        reader->open = n;
        reader->last = NULL;
        reader->depth++;
        reader->text_size = 0;
        if (fill(n, name, attributes) < 0)
                stop(reader, NULL);
}

static void on_end(void *userdata, const char *name) {
        struct reader *reader = userdata;
        struct xml_node *n = reader->open;

        (void) name;
        if (!n->children && reader->text_size > 0) {
                n->text = strndup(reader->text, reader->text_size);
                if (!n->text)
                        stop(reader, NULL);
        }
        reader->open = n->parent;
        reader->last = n;
        reader->depth--;
        reader->text_size = 0;
}

static void on_text(void *userdata, const char *s, int size) {
        struct reader *reader = userdata;
        size_t wanted = reader->text_size + (size_t) size;

        if (wanted > reader->text_capacity) {
                char *bigger = realloc(reader->text, 2 * wanted);

                if (!bigger)
                        return stop(reader, NULL);
                reader->text = bigger;
                reader->text_capacity = 2 * wanted;
        }
        memcpy(reader->text + reader->text_size, s, (size_t) size);
        reader->text_size = wanted;
}

/* Called before anything that it declares was read. */
static void on_doctype(void *userdata, const char *name, const char *system, const char *public, int has_subset) {
        (void) name, (void) system, (void) public, (void) has_subset;
        stop(userdata, "a DOCTYPE, which libvirt never writes; take it out");
}

int xml_parse(const char *text, size_t size, const char *what, struct xml_node **ret, struct err *e) {
        _cleanup_(reader_done) struct reader reader = { .parser = XML_ParserCreate(NULL) };
        enum XML_Error code;

        if (!reader.parser)
                return err_set(e, -ENOMEM, ERR_FAILED, what, "%s: out of memory", what);
        XML_SetUserData(reader.parser, &reader);
        XML_SetElementHandler(reader.parser, on_start, on_end);
        XML_SetCharacterDataHandler(reader.parser, on_text);
        XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
        if (XML_Parse(reader.parser, text, (int) size, XML_TRUE) == XML_STATUS_OK) {
                *ret = TAKE_PTR(reader.root);
                return 0;
        }
        code = XML_GetErrorCode(reader.parser);
        if (reader.out_of_memory || code == XML_ERROR_NO_MEMORY)
                return err_set(e, -ENOMEM, ERR_FAILED, what, "%s: out of memory", what);
        return err_set(e, -EINVAL, ERR_INVALID, what,
                       "%s, line %lu: wanted well-formed XML as virsh dumpxml prints it, found: %s", what,
                       (unsigned long) XML_GetCurrentLineNumber(reader.parser),
                       reader.refused ? reader.refused : XML_ErrorString(code));
}

/* "name" when the attribute is "xmlns:name", "" when it is "xmlns"; NULL: it declares no namespace. */
static const char *declared_prefix(const struct xml_attribute *a) {
        const char *rest = a->name + strlen("xmlns");

        return !str_starts(a->name, "xmlns") ? NULL : *rest == ':' ? rest + 1 : *rest ? NULL : rest;
}

/* NULL: none, or its prefix is not declared. */
static const char *namespace_of(const struct xml_node *n) {
        const char *colon = strchr(n->name, ':');
        size_t length = colon ? (size_t) (colon - n->name) : 0;

        for (const struct xml_node *p = n; p; p = p->parent)
                for (size_t i = 0; i < p->n_attributes; i++) {
                        const char *prefix = declared_prefix(&p->attributes[i]);

                        if (prefix && strlen(prefix) == length && strncmp(prefix, n->name, length) == 0)
                                return *p->attributes[i].value ? p->attributes[i].value : NULL;
                }
        return NULL;
}

bool xml_is(const struct xml_node *n, const char *name) {
        return str_eq(n->name, name) && !namespace_of(n);
}

bool xml_is_of(const struct xml_node *n, const char *space) {
        const char *found = namespace_of(n);

        return found && str_eq(found, space);
}

const char *xml_local_name(const struct xml_node *n) {
        const char *colon = strchr(n->name, ':');

        return colon ? colon + 1 : n->name;
}

const struct xml_node *xml_child(const struct xml_node *n, const char *name) {
        const struct xml_node *c = n ? n->children : NULL;

        while (c && !xml_is(c, name))
                c = c->next;
        return c;
}

const char *xml_attribute(const struct xml_node *n, const char *name) {
        for (size_t i = 0; i < n->n_attributes; i++)
                if (str_eq(n->attributes[i].name, name))
                        return n->attributes[i].value;
        return NULL;
}

bool xml_attribute_is_namespace(const struct xml_attribute *a) {
        return declared_prefix(a) != NULL;
}
