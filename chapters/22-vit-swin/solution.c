// The answers to the exercises of chapter 22. exercise.h says what is asked.
#include "exercise.h"

#include <stdlib.h>

// TASK 22.1
void patches_of_colours(Matrix patches, Matrix image, int height, int width, int patch)
{
    int across = width / patch, channels = image.cols;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++) {
                int row = y / patch * across + x / patch;
                int pixel = y % patch * patch + x % patch;
                AT(patches, row, pixel * channels + c) = AT(image, y * width + x, c);
            }
}

// TASK 22.2
void places_in_windows(Matrix places, int height, int width, int window, int shift)
{
    int across = width / window;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int down = (y - shift + height) % height;
            int right = (x - shift + width) % width;
            int number = down / window * across + right / window;
            int inside = down % window * window + right % window;
            AT(places, y, x) = (float)(number * window * window + inside);
        }
}

// TASK 22.3
void relative_index(Matrix index, int height, int width)
{
    int tokens = height * width, columns = 2 * width - 1;
    for (int i = 0; i < tokens; i++)
        for (int j = 0; j < tokens; j++) {
            int down = j / width - i / width;
            int right = j % width - i % width;
            AT(index, i, j) = (float)((down + height - 1) * columns + right + width - 1);
        }
}

// The number of the piece along one axis
static int piece(int at, int window, int shift)
{
    int moved = at - shift + window;
    return moved / window;
}

// TASK 22.4
void may_look(Matrix may, int height, int width, int window, int shift)
{
    int tokens = height * width;
    for (int i = 0; i < tokens; i++)
        for (int j = 0; j < tokens; j++) {
            int rows = piece(i / width, window, shift) == piece(j / width, window, shift);
            int columns = piece(i % width, window, shift) == piece(j % width, window, shift);
            AT(may, i, j) = rows && columns ? 1.0f : 0.0f;
        }
}

// TASK 22.5
float block_cost(int side, int patch, int features, int hidden, int window)
{
    double along = side / patch;
    double tokens = along * along;
    if (window == 0) tokens += 1.0;
    double seen = window > 0 ? (double)window * window : tokens;
    double linear = 4.0 * features * features + 2.0 * features * hidden;
    double looking = 2.0 * features * seen;
    return (float)(tokens * (linear + looking) / 1e6);
}
