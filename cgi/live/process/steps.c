#include "cgi/live/process/steps.h"

#include <errno.h>

/* --- who is stuck ---------------------------------------------------------------------------- */

void stuck_processes_init(struct stuck_processes *stuck)
{
	pthread_mutex_init(&stuck->lock, NULL);
}

void stuck_processes_destroy(struct stuck_processes *stuck)
{
	pthread_mutex_destroy(&stuck->lock);
}

/* Locked.  The place of that step; of {0, 0}: a free one.  NULL = there is none. */
static struct step *find(struct stuck_processes *stuck, const struct step *step)
{
	unsigned i;

	for (i = 0; i < STUCK_MAX; i++)
		if (stuck->list[i].pid == step->pid && stuck->list[i].inode == step->inode)
			return &stuck->list[i];
	return NULL;
}

bool stuck_processes_have(struct stuck_processes *stuck, const struct step *step)
{
	bool have;

	pthread_mutex_lock(&stuck->lock);
	have = find(stuck, step) != NULL;
	pthread_mutex_unlock(&stuck->lock);
	return have;
}

static bool replace(struct stuck_processes *stuck, const struct step *old, const struct step *new)
{
	struct step *place;

	pthread_mutex_lock(&stuck->lock);
	place = find(stuck, old);
	if (place)
		*place = *new;
	pthread_mutex_unlock(&stuck->lock);
	return place != NULL;
}

static const struct step none = {0, 0};

/* --- turns ----------------------------------------------------------------------------------- */

void steps_init(struct steps *steps, struct stuck_processes *stuck)
{
	*steps = (struct steps){.stuck = stuck};
	pthread_mutex_init(&steps->lock, NULL);
	monotonic_cond_init(&steps->changed);
}

void steps_destroy(struct steps *steps)
{
	pthread_cond_destroy(&steps->changed);
	pthread_mutex_destroy(&steps->lock);
}

bool turn_begin(struct turn *turn, const struct step *step)
{
	struct steps *steps = turn ? turn->steps : NULL;
	bool mine;

	if (!turn)
		return true;
	pthread_mutex_lock(&steps->lock);
	mine = steps->turn == turn->number;
	if (mine) {
		steps->now = *step;
		steps->since_ns = monotonic_ns();
		turn->step = *step;
	}
	pthread_mutex_unlock(&steps->lock);
	return mine;
}

bool turn_end(struct turn *turn)
{
	struct steps *steps = turn ? turn->steps : NULL;
	bool mine;

	if (!turn)
		return true;
	pthread_mutex_lock(&steps->lock);
	mine = steps->turn == turn->number;
	if (mine)
		steps->now = none;
	pthread_mutex_unlock(&steps->lock);
	/* it was stuck, and is so no more */
	if (!mine && turn->step.pid)
		replace(steps->stuck, &turn->step, &none);
	return mine;
}

void turn_finish(struct turn *turn)
{
	struct steps *steps = turn->steps;

	pthread_mutex_lock(&steps->lock);
	if (steps->turn == turn->number) {
		steps->now = none;
		steps->done = true;
		pthread_cond_signal(&steps->changed);
	}
	pthread_mutex_unlock(&steps->lock);
}

unsigned steps_next_turn(struct steps *steps)
{
	unsigned number;

	pthread_mutex_lock(&steps->lock);
	number = ++steps->turn;
	pthread_mutex_unlock(&steps->lock);
	return number;
}

/* --- the clock ------------------------------------------------------------------------------- */

/* Locked.  Until when the state need not be looked at again. */
static int64_t next_look(const struct steps *steps, int64_t patience_ns, int64_t end_ns)
{
	int64_t at = (steps->now.pid ? steps->since_ns : monotonic_ns()) + patience_ns;

	return at < end_ns ? at : end_ns;
}

/* Locked.  The thread whose turn it was is left behind. */
static enum steps_result give_up(struct steps *steps, struct step *step)
{
	*step = steps->now;
	steps->turn++;
	steps->now = none;
	return replace(steps->stuck, &none, step) ? STEPS_STUCK : STEPS_TOO_LATE;
}

enum steps_result steps_wait(struct steps *steps, int64_t patience_ms,
			     const struct deadline *deadline, struct step *step)
{
	int64_t patience_ns = patience_ms * 1000000, now_ns;
	enum steps_result result = STEPS_DONE;

	*step = none;
	pthread_mutex_lock(&steps->lock);
	while (!steps->done && result == STEPS_DONE) {
		struct timespec until =
		    monotonic_time(next_look(steps, patience_ns, deadline->at_ns));

		if (pthread_cond_timedwait(&steps->changed, &steps->lock, &until) != ETIMEDOUT)
			continue;
		now_ns = monotonic_ns();
		if (steps->done)
			break;
		if (steps->now.pid && now_ns - steps->since_ns >= patience_ns)
			result = give_up(steps, step);
		if (now_ns >= deadline->at_ns) {
			steps->turn++;
			result = STEPS_TOO_LATE;
		}
	}
	pthread_mutex_unlock(&steps->lock);
	return result;
}
