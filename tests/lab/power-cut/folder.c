/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "folder.h"

#include <string.h>

#include "base/str.h"

bool folder_wants(const char *name) {
        size_t n = strlen(name);

        return n > strlen(".conf") && str_eq(name + n - strlen(".conf"), ".conf");
}

const struct folder_file *folder_find(const struct folder *folder, const char *name) {
        for (size_t i = 0; i < folder->n; i++)
                if (str_eq(folder->files[i].name, name))
                        return &folder->files[i];
        return NULL;
}

static bool same(const struct folder_file *a, const struct folder_file *b) {
        if (!a || !b)
                return a == b;
        return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

static const char *odd_among(const struct folder *names, const struct folder *folder, const struct folder *a,
                             const struct folder *b) {
        for (size_t i = 0; i < names->n; i++) {
                const char *name = names->files[i].name;
                const struct folder_file *f = folder_find(folder, name);

                if (!same(f, folder_find(a, name)) && !same(f, folder_find(b, name)))
                        return name;
        }
        return NULL;
}

const char *folder_odd(const struct folder *folder, const struct folder *a, const struct folder *b) {
        const char *name = odd_among(a, folder, a, b);

        if (!name)
                name = odd_among(b, folder, a, b);
        return name ?: odd_among(folder, folder, a, b);
}
