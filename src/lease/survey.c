/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/survey.h"

#include <string.h>

#include "base/child.h"

#define PATIENCE_USEC 1000000U /* for all that can be read: microseconds each */

struct record {
        size_t knob;
        char value[KNOB_VALUE_MAX];
};

struct survey {
        const struct root *root;
        const struct state *state;
        char (*values)[KNOB_VALUE_MAX];
        size_t next; /* the first knob that is not known */
};

static int read_rest(int fd, size_t index, void *userdata) {
        const struct survey *survey = userdata;

        (void) index;
        for (size_t i = survey->next; i < survey->state->n_knobs; i++) {
                const struct knob *k = &survey->state->knobs[i];
                struct record record = { .knob = i };

                if (k->kind->read(survey->root, k->name, record.value, NULL) < 0)
                        strcpy(record.value, SURVEY_GONE);
                if (child_send(fd, &record, sizeof(record)) < 0)
                        return 1;
        }
        return 0;
}

static void on_record(const void *data, size_t size, void *userdata) {
        struct survey *survey = userdata;
        struct record record;

        memcpy(&record, data, size);
        memcpy(survey->values[record.knob], record.value, sizeof(record.value));
        survey->next = record.knob + 1;
}

int state_survey(const struct root *root, const struct state *s, char (*ret)[KNOB_VALUE_MAX]) {
        struct survey survey = { root, s, ret, 0 };

        while (survey.next < s->n_knobs) {
                struct child child;
                int r;

                r = children_run(&child, 1, PATIENCE_USEC, sizeof(struct record), read_rest, on_record, &survey);
                if (r < 0)
                        return r;
                /* Whatever the child is stuck in, the others can still be asked. */
                if (survey.next < s->n_knobs)
                        strcpy(ret[survey.next++], SURVEY_SILENT);
        }
        return 0;
}
