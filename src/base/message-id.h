/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* MESSAGE_ID= of our journal entries, made with "systemd-id128 new"; the helper writes them, "passthru log" looks
 * for them. */
#define MESSAGE_ID_STEP "5d6c1f3b7e6f4a0f9d0c2b8e5a417c31"
#define MESSAGE_ID_RESULT "b0f4c9d27a5e4f2c8f1e6d3a9b7c5e02"
