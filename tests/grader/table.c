// table.c: see table.h.
#include "table.h"

#include <stdlib.h>
#include <string.h>

static const char byte_order_mark[] = "\xEF\xBB\xBF";

static int task_points(const Grade *grade, const char *task, int *most)
{
    int points = *most = 0;
    for (int i = 0; i < grade->count; i++) {
        if (strcmp(grade->results[i].task, task) != 0) continue;
        points += grade->results[i].points;
        *most += grade->results[i].most;
    }
    return points;
}

// ---- grades.csv: a line for each student, the total and every task ------------------------------------

static bool write_grades(FILE *file, const void *context)
{
    const Class *all = context;
    fprintf(file, "%s\"student\",\"points\",\"max\",\"status\"", byte_order_mark);
    for (int t = 0; t < task_limit_count; t++) fprintf(file, ",\"TASK %s\"", task_limits[t].task);
    fputs("\n", file);
    for (int i = 0; i < all->count; i++) {
        const Grade *grade = all->grades[i];
        put_cell(file, grade->student);
        fputc(',', file);
        if (!grade->needs_human) fprintf(file, "\"%d\"", grade->points);
        fprintf(file, ",\"%d\",", grade->most);
        put_cell(file, grade_state(grade));
        for (int t = 0; t < task_limit_count; t++) {
            int most, points = task_points(grade, task_limits[t].task, &most);
            fputc(',', file);
            if (!grade->needs_human) fprintf(file, "\"%d\"", points);
        }
        fputs("\n", file);
    }
    return true;
}

// ---- audit.csv: a line for each test, everything that a teacher may ask about -------------------------

static void put_audit(FILE *file, const Class *all, const Grade *grade, const Result *result)
{
    put_cell(file, grade->student);
    fputc(',', file);
    put_cell(file, grade->built.taken);
    fprintf(file, ",\"%s\",\"%s\",\"%s\",\"%s\",\"", grade->built.hash, result->task, result->test,
            result->hidden ? "yes" : "no");
    if (!grade->needs_human) fprintf(file, "%d", result->points);
    fprintf(file, "\",\"%d\",\"%s\",\"%u\",\"%.3f\",", result->most, status_name(result->status),
            result->leaked, result->seconds);
    put_cell(file, result->message);
    fputc(',', file);
    put_cell(file, grade->built.flags);
    fprintf(file, ",\"%.3f\",\"%llu\",", grade->built.seconds, (unsigned long long)grade->seed);
    put_cell(file, all->compiler);
    fputs("\n", file);
}

static bool write_audit(FILE *file, const void *context)
{
    const Class *all = context;
    fprintf(file,
            "%s\"student\",\"file\",\"fnv1a\",\"task\",\"test\",\"hidden\",\"points\",\"max\",\"status\","
            "\"leaked blocks\",\"seconds\",\"message\",\"flags\",\"build seconds\",\"seed\",\"compiler\"\n",
            byte_order_mark);
    for (int i = 0; i < all->count; i++)
        for (int r = 0; r < all->grades[i]->count; r++)
            put_audit(file, all, all->grades[i], &all->grades[i]->results[r]);
    return true;
}

// ---- summary.md ---------------------------------------------------------------------------------------

typedef struct {
    int graded, solved, most;
    long sum;
    double mean, median;
} Statistic;

static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

// Of the points of a task, or of all when task is NULL, over those who were graded.
static Statistic statistic_of(const Class *all, const char *task, int *values)
{
    Statistic s = {0};
    for (int i = 0; i < all->count; i++) {
        const Grade *grade = all->grades[i];
        int most = grade->most, points = task ? task_points(grade, task, &most) : grade->points;
        s.most = most;
        if (grade->needs_human) continue;
        values[s.graded++] = points;
        s.sum += points;
        s.solved += points == most;
    }
    if (s.graded == 0) return s;
    qsort(values, (size_t)s.graded, sizeof *values, by_value);
    s.mean = (double)s.sum / s.graded;
    s.median = 0.5 * (values[(s.graded - 1) / 2] + values[s.graded / 2]);
    return s;
}

// "Hardest: TASKS 1.2 and 1.4." Shares are compared as whole numbers, so that a tie is one.
static void put_hardest(FILE *file, const Statistic *tasks)
{
    int hardest = 0, ties = 0, told = 0;
    for (int t = 1; t < task_limit_count; t++)
        if (tasks[t].sum * tasks[hardest].most < tasks[hardest].sum * tasks[t].most) hardest = t;
    for (int t = 0; t < task_limit_count; t++)
        ties += tasks[t].sum * tasks[hardest].most == tasks[hardest].sum * tasks[t].most;
    if (tasks[hardest].solved == tasks[hardest].graded) {
        fputs("\nHardest: none, all are solved by everybody.\n", file);
        return;
    }
    fprintf(file, "\nHardest: TASK%s ", ties > 1 ? "S" : "");
    for (int t = 0; t < task_limit_count; t++) {
        if (tasks[t].sum * tasks[hardest].most != tasks[hardest].sum * tasks[t].most) continue;
        fprintf(file, "%s%s", told == 0 ? "" : told == ties - 1 ? " and " : ", ", task_limits[t].task);
        told++;
    }
    fputs(".\n", file);
}

// What is told of a student under a title; NULL for those who do not belong there.
typedef const char *Telling(const Grade *grade);

static void list_where(FILE *file, const Class *all, const char *title, Telling *telling)
{
    bool any = false;
    for (int i = 0; i < all->count; i++) {
        const char *told = telling(all->grades[i]);
        if (!told) continue;
        if (!any) fprintf(file, "\n## %s\n\n", title);
        any = true;
        fputs("- ", file);
        put_markdown(file, all->grades[i]->student);
        fputs(": ", file);
        put_markdown(file, told);
        fputc('\n', file);
    }
}

static void list_passed_over(FILE *file, const Roster *roster)
{
    if (roster->passed_over_count) fputs("\n## Passed over, nobody's submission\n\n", file);
    for (int i = 0; i < roster->passed_over_count; i++) {
        fputs("- ", file);
        put_markdown(file, roster->passed_over[i].name);
        fprintf(file, ": %s\n", roster->passed_over[i].reason);
    }
}

static const char *in_need(const Grade *grade)
{
    if (!grade->needs_human) return NULL;
    if (grade->built.status == GRADER_ERROR) return grade->built.message;
    for (int i = 0; i < grade->count; i++)
        if (grade->results[i].status == GRADER_ERROR) return grade->results[i].message;
    return "a test was not run";
}
static const char *without_file(const Grade *grade)
{
    return grade->built.status == NO_FILE ? grade->built.message : NULL;
}
static const char *without_points(const Grade *grade)
{
    return grade->needs_human || grade->points > 0 || without_file(grade) ? NULL : grade_state(grade);
}
static const char *flagged(const Grade *grade) { return grade->built.flags[0] ? grade->built.flags : NULL; }

static bool write_summary(FILE *file, const void *context)
{
    const Class *all = context;
    int *values = calloc((size_t)all->count + 1, sizeof *values);
    Statistic *tasks = calloc((size_t)task_limit_count, sizeof *tasks);
    if (!values || !tasks) return free(values), free(tasks), false;
    Statistic total = statistic_of(all, NULL, values);
    fprintf(file, "# Chapter %s: %d submissions, %d graded\n\n", all->chapter, all->count, total.graded);
    if (total.graded)
        fprintf(file, "Mean: %.1f, median: %.1f of %d points. ", total.mean, total.median, total.most);
    fprintf(file, "Seed: %llu. Here %s.\n\n", (unsigned long long)all->seed, all->promise);
    if (all->warning) fprintf(file, "**Warning:** %s.\n\n", all->warning);
    fprintf(file, "| task | mean | median | of | solved by |\n|---|---|---|---|---|\n");
    for (int t = 0; t < task_limit_count; t++) {
        tasks[t] = statistic_of(all, task_limits[t].task, values);
        fprintf(file, "| %s %s |", task_limits[t].task, task_limits[t].function);
        if (tasks[t].graded)
            fprintf(file, " %.1f | %.1f | %d | %d |\n", tasks[t].mean, tasks[t].median, tasks[t].most,
                    tasks[t].solved);
        else
            fprintf(file, " | | %d | |\n", tasks[t].most);
    }
    if (total.graded) put_hardest(file, tasks);
    free(tasks);
    free(values);
    list_where(file, all, "Needs a human", in_need);
    list_where(file, all, "Handed in nothing that could be graded", without_file);
    list_where(file, all, "No points", without_points);
    list_where(file, all, "Worth a look (flags in audit.csv)", flagged);
    list_passed_over(file, all->roster);
    return true;
}

bool write_tables(const Class *all, const char *folder)
{
    return write_by_rename(folder, "grades.csv", write_grades, all) &&
           write_by_rename(folder, "audit.csv", write_audit, all) &&
           write_by_rename(folder, "summary.md", write_summary, all);
}
