// cmocka, which forgets to include what it needs.
//
// A failed assertion longjmps out of the test: destructors between it and cmocka do not run. Keep what owns a
// resource in a fixture that the teardown frees, or accept the leak of a failing test.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <cmocka.h>
}
