// turn.h: lets one submission at a time be alone on the machine. Everybody who works is in a room; who must
// know that a failure is not the others' doing asks them to leave first. Two files that are locked (flock)
// stand for the room and its door; a process that dies gives up its locks.
#pragma once
#include <stdbool.h>

// Enters the room of this folder, and waits while somebody is alone in it. Only once in a process, which
// stays until it ends; again: nothing happens. false: the files cannot be made.
bool turn_enter(const char *folder);

// Waits until the others have left; nobody enters until turn_share.
bool turn_alone(void);
void turn_share(void);
