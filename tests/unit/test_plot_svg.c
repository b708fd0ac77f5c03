// SVG: the same picture in fewer bytes, with colours that can be seen on a dark page.
#include "lesson/plot/parts.h"
#include "suite.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- Colours ---------------------------------------------------------------------------------------------------------

static double channel(unsigned colour, int shift) { return (colour >> shift & 0xFF) / 255.0; }

// Of WCAG 2.2: relative luminance, and how far two of them are apart.
static double luminance(unsigned colour)
{
    static const double parts[] = {0.2126, 0.7152, 0.0722};
    double sum = 0.0;
    for (int i = 0; i < 3; i++) {
        double c = channel(colour, 16 - 8 * i);
        sum += parts[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(unsigned a, unsigned b)
{
    double high = fmax(luminance(a), luminance(b)), low = fmin(luminance(a), luminance(b));
    return (high + 0.05) / (low + 0.05);
}

// Degrees on the circle of colours; grey has none, NaN.
static double hue(unsigned colour)
{
    double r = channel(colour, 16), g = channel(colour, 8), b = channel(colour, 0);
    double high = fmax(r, fmax(g, b)), spread = high - fmin(r, fmin(g, b));
    if (spread < 0.15) return NAN;
    double at = high == r ? (g - b) / spread : high == g ? 2.0 + (b - r) / spread : 4.0 + (r - g) / spread;
    return 60.0 * at;
}

START_TEST(on_a_dark_page_words_can_be_read_and_colours_keep_their_names)
{
    for (int i = 0; i < SVG_COLOURS; i++) {
        unsigned light = svg_colours[i].light, dark = svg_colours[i].dark;
        bool words =
            light == 0x222222 || light == 0x333333 || light == 0x444444 || light == 0x566573 || !light;
        bool quiet = light == 0xE8E8E8 || light == 0xFFFFFF; // the grid, the paper
        double on_dark = contrast(dark, SVG_DARK_PAPER), on_white = contrast(light, 0xFFFFFF);
        ck_assert_msg(on_dark >= (words   ? 4.5
                                  : quiet ? 1.0
                                          : 3.0),
                      "#%06X: %.2f : 1 on the dark paper", dark, on_dark);
        ck_assert_msg(!words || on_white >= 4.5, "#%06X: %.2f : 1 on white", light, on_white);
        ck_assert_msg(isnan(hue(light)) == isnan(hue(dark)), "#%06X and #%06X: one is grey", light, dark);
        double turned = isnan(hue(light)) ? 0.0 : fabs(remainder(hue(light) - hue(dark), 360.0));
        ck_assert_msg(turned < 12.0, "#%06X and #%06X are %.0f degrees apart", light, dark, turned);
        for (int k = 0; k < i; k++)
            ck_assert_msg(svg_colours[k].light != light, "#%06X is there twice", light);
    }
}
END_TEST

// ---- What gnuplot writes, and what becomes of it ---------------------------------------------------------------------

#define HEAD                                                                                                 \
    "<?xml version=\"1.0\" encoding=\"utf-8\"  standalone=\"no\"?>\n<svg \n width=\"96\" height=\"60\"\n "   \
    "viewBox=\"0 0 96 60\"\n"                                                                                \
    " xmlns=\"http://www.w3.org/2000/svg\"\n "                                                               \
    "xmlns:xlink=\"http://www.w3.org/1999/xlink\"\n>\n\n<title>Gnuplot</title>\n"                            \
    "<desc>Produced by GNUPLOT</desc>\n\n<g id=\"gnuplot_canvas\">\n\n<rect x=\"0\" y=\"0\" width=\"96\" "   \
    "height=\"60\" "                                                                                         \
    "fill=\"#ffffff\"/>\n<defs>\n\t<circle id='gpDot' r='0.5'/>\n</defs>\n"
#define OPEN(width)                                                                                          \
    "<g fill=\"none\" color=\"black\" stroke=\"currentColor\" stroke-width=\"" width                         \
    "\" stroke-linecap=\"butt\">\n"
#define TEXT(place, more, words)                                                                             \
    "\t<g transform=\"translate(" place ")" more                                                             \
    "\" stroke=\"none\" fill=\"rgb(68,68,68)\" font-family=\"DejaVu Sans\" "                                 \
    "font-size=\"17.33\"  text-anchor=\"end\">\n\t\t" words "\n\t</g>\n"
#define END "</g>\n</svg>\n\n"

static const char given[] = HEAD OPEN(
    "1.00") "\t<path stroke='rgb(232, 232, 232)' class=\"gridline\"  d='M10.00,50.04 L90.00,50.04  "
            "'/></g>\n" OPEN(
                "1.00") "\t<path stroke='rgb(153, 153, 153)'  d='M10.00,50.04 L15.85,50.04 "
                        " '/>" TEXT("9.95,54.16", "", "<text>-2</text>") "</g>\n" OPEN(
                            "1.00") "\t<path stroke='rgb(232, 232, 232)' "
                                    "class=\"gridline\"  d='M10.00,20.00 L90.00,20.00  "
                                    "'/></g>\n" TEXT(
                                        "1.00,30.00", " rotate(270)",
                                        "<text xml:space=\"preserve\">a &amp; "
                                        "&lt;b>  &#x41;</text>") "\t<g "
                                                                 "id="
                                                                 "\"gnuplot_"
                                                                 "plot_1\" "
                                                                 "><title>"
                                                                 "gnuplot_"
                                                                 "plot_1</"
                                                                 "title>"
                                                                 "\n" OPEN(
                                                                     "2."
                                                                     "0"
                                                                     "0") "\t<path stroke='rgb(  0, 114, "
                                                                          "178)' stroke-dasharray='9.0,6.0'  "
                                                                          "d='M10.00,10.00 L10.04,10.04 "
                                                                          "L20.00,12.34 \n\t\tL20.00,8.00 "
                                                                          "M30.00,30.00 L40.00,30.00 "
                                                                          "L40.00,40.00 L30.00,30.00 Z  "
                                                                          "'/></g>\n"
                                                                          "\t<use xlink:href='#gpPt6' "
                                                                          "transform='translate(10.00,10.00) "
                                                                          "scale(3.90)' color='rgb(213,  94, "
                                                                          "  0)' opacity='0.62'/>\n"
                                                                          "\t<use xlink:href='#gpPt6' "
                                                                          "transform='translate(20.00,12.34) "
                                                                          "scale(3.90)' color='rgb(213,  94, "
                                                                          "  0)' opacity='0.62'/>\n"
                                                                          "\t<use xlink:href='#gpPt1' "
                                                                          "transform='translate(20.00,10.00) "
                                                                          "scale(5.00)' color='rgb(213,  94, "
                                                                          "  0)'/>\n"
                                                                          "\t<g stroke='none' "
                                                                          "shape-rendering='crispEdges'>\n"
                                                                          "\t\t<polygon fill = 'rgb(  8,  "
                                                                          "48, 107)' fill-opacity = "
                                                                          "'0.850000' points = '1.00,2.00 "
                                                                          "3.00,2.00 3.00,4.00 1.00,4.00 "
                                                                          "'/>\n"
                                                                          "\t\t<polygon fill = 'rgb(  0, "
                                                                          "114, 178)' fill-opacity = "
                                                                          "'0.200000' points = '1.00,2.00 "
                                                                          "3.00,5.00 3.00,4.00 '/>\n"
                                                                          "\t</g>\n\t</g>\n" END;

static const char wanted[] =
    "<title>A &lt; B &amp; C</title>\n"
    "<style>@media screen and (prefers-color-scheme:dark){.plot [stroke=\"#0072b2\"]{stroke:#3d9be0}"
    ".plot [fill=\"#0072b2\"]{fill:#3d9be0}.plot [stroke=\"#d55e00\"]{stroke:#e8702a}.plot "
    "[fill=\"#d55e00\"]{fill:#e8702a}"
    ".plot [fill=\"#444444\"]{fill:#bcb8b0}.plot [stroke=\"#e8e8e8\"]{stroke:#383735}.plot "
    "[stroke=\"#999999\"]{stroke:#7d7a75}"
    ".plot [fill=\"#ffffff\"]{fill:#1b1b1a}}</style>\n"
    "<path fill=\"#ffffff\" d=\"M0 0h96v60h-96z\"/>\n"
    "<path stroke=\"#e8e8e8\" d=\"M10 50h80M10 20h80\"/>\n"
    "<path stroke=\"#999999\" d=\"M10 50h5.9\"/>\n"
    "<g fill=\"#444444\" text-anchor=\"end\"><text x=\"10\" y=\"54.2\">-2</text>"
    "<text transform=\"translate(1 30)rotate(270)\" xml:space=\"preserve\">a &amp; &lt;b>  "
    "&amp;#x41;</text></g>\n"
    "<path stroke=\"#0072b2\" stroke-width=\"2\" stroke-dasharray=\"9.0,6.0\" d=\"M10 10l10 2.3v-4.3M30 "
    "30h10v10l-10-10z\"/>\n"
    "<g fill=\"#d55e00\" fill-opacity=\".62\"><circle cx=\"10\" cy=\"10\" r=\"3.9\"/><circle cx=\"20\" "
    "cy=\"12.3\" "
    "r=\"3.9\"/></g>\n"
    "<path stroke=\"#d55e00\" stroke-width=\"1\" d=\"M15 15l10-10M15 5l10 10\"/>\n"
    "<path fill=\"#08306b\" fill-opacity=\".85\" shape-rendering=\"crispEdges\" d=\"M1 2h2v2h-2z\"/>\n"
    "<path fill=\"#0072b2\" fill-opacity=\".2\" d=\"M1 2l2 3v-1z\"/>\n"
    "</svg>\n";

// The file after squeezing; known tells whether it was understood.
static const char *squeezed(const char *bytes, size_t length, bool *known)
{
    static char text[1 << 16];
    const char *path = scratch_file("a.svg", bytes, length);
    char *copied = strdup(path);
    ck_assert_int_eq(squeeze_svg(copied, scratch_path("a.small"), "A < B & C", known), 0);
    FILE *file = fopen(copied, "rb");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    free(copied);
    return text;
}

START_TEST(a_picture_is_the_same_in_fewer_bytes)
{
    static const char *const locales[] = {"C", "de_DE.UTF-8",
                                          "fr_FR.UTF-8"}; // a comma in numbers, where there are such
    for (int i = 0; i < 3; i++) {
        setlocale(LC_ALL, locales[i]);
        bool known = false;
        const char *got = squeezed(given, sizeof given - 1, &known), *body = strchr(got, '\n');
        ck_assert(known && body);
        ck_assert_str_eq(body + 1, wanted);
        ck_assert_msg(strstr(got, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"96\" height=\"60\" ") ==
                          got,
                      "%s", got);
        ck_assert(strstr(got, "font-size=\"17.3\"") && strstr(got, "Verdana") && strstr(got, "CJK"));
        ck_assert_msg(!strstr(got, " id="), "two pictures in one page would have the same id");
    }
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(a_picture_that_is_not_known_is_left_as_it_is)
{
    static const char *const odd[] = {HEAD "<ellipse rx='1'/>" END,
                                      HEAD OPEN("1") "<path d='M1,1 C1,2 3,4 5,6'/></g>" END,
                                      HEAD "</g></g>" END,
                                      HEAD "<g stroke='teal'></g>" END,
                                      HEAD
                                      "<use xlink:href='#gpPt9' transform='translate(1,1) scale(2)'/>" END,
                                      HEAD "<g><g><g><g><g><g><g><g><g><g><g><g><g>" END,
                                      HEAD "<path stroke='black' d='M1,1 L2,x'/>" END,
                                      HEAD "<g fill='black'><text>a<b/></text></g>" END,
                                      "<svg></svg>",
                                      "",
                                      "<",
                                      "<svg width='1' height='1'"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        bool known = true;
        const char *got = squeezed(odd[i], strlen(odd[i]), &known);
        ck_assert_msg(!known, "known: %s", odd[i]);
        ck_assert_str_eq(got, odd[i]);
    }
    for (size_t length = 0; length < sizeof given - 10; length++) { // cut anywhere
        bool known;
        const char *got = squeezed(given, length, &known);
        ck_assert_msg(known || (strncmp(got, given, length) == 0 && strlen(got) == length), "%zu bytes",
                      length);
    }
}
END_TEST

START_TEST(what_cannot_be_written_is_told)
{
    bool known;
    const char *path = scratch_file("a.svg", given, sizeof given - 1);
    ck_assert_int_ne(squeeze_svg(path, "/no/such/folder/a", "T", &known), 0);
    ck_assert_int_eq(squeeze_svg("/no/such/file", "/no/such/folder/a", "T", &known), 0);
    ck_assert(!known);
}
END_TEST

SUITE("plot_svg", on_a_dark_page_words_can_be_read_and_colours_keep_their_names,
      a_picture_is_the_same_in_fewer_bytes, a_picture_that_is_not_known_is_left_as_it_is,
      what_cannot_be_written_is_told)
