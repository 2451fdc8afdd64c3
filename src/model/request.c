/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/request.h"

#include <string.h>

bool cpufreq_word_is_valid(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

        return n > 0 && n < CPUFREQ_WORD_MAX && s[n] == '\0';
}

struct request_device *request_add(struct request *q, const struct bdf *address) {
        for (size_t i = 0; i < q->n_devices; i++)
                if (bdf_compare(&q->devices[i].address, address) == 0)
                        return &q->devices[i];
        if (q->n_devices == REQUEST_DEVICES_MAX)
                return NULL;
        q->devices[q->n_devices] = (struct request_device) { .address = *address };
        return &q->devices[q->n_devices++];
}

bool reset_method_is_valid(const char *s) {
        size_t n = strlen(s);

        return n > 0 && n < RESET_METHOD_MAX && s[strspn(s, "abcdefghijklmnopqrstuvwxyz_ ")] == '\0' &&
               *s != ' ' && s[n - 1] != ' ' && !strstr(s, "  ");
}

bool service_name_is_valid(const char *s) {
        static const char *const needed[] = { "passthru", "libvirt", "virt", "dbus", "systemd-" };
        static const char suffix[] = ".service";
        size_t n = strlen(s);

        for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
                if (str_starts(s, needed[i]))
                        return false;
        return n > strlen(suffix) && n < SERVICE_NAME_MAX && str_eq(s + n - strlen(suffix), suffix) && *s != '.' &&
               *s != '-' &&
               s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@\\-")] == '\0';
}
