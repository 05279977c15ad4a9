#include "cgi/pattern/go_pattern_names.h"

#include <string.h>

/*
 * The keys of unicode.Categories and unicode.Scripts of Go 1.23 (Unicode 15.0) and "Any", sorted:
 * later releases of Go only add to them.
 */
static const char *const unicode_names[] = {
    /* clang-format off */
	"Adlam", "Ahom", "Anatolian_Hieroglyphs", "Any", "Arabic", "Armenian", "Avestan",
	"Balinese", "Bamum", "Bassa_Vah", "Batak", "Bengali", "Bhaiksuki", "Bopomofo", "Brahmi",
	"Braille", "Buginese", "Buhid", "C", "Canadian_Aboriginal", "Carian",
	"Caucasian_Albanian", "Cc", "Cf", "Chakma", "Cham", "Cherokee", "Chorasmian", "Co",
	"Common", "Coptic", "Cs", "Cuneiform", "Cypriot", "Cypro_Minoan", "Cyrillic", "Deseret",
	"Devanagari", "Dives_Akuru", "Dogra", "Duployan", "Egyptian_Hieroglyphs", "Elbasan",
	"Elymaic", "Ethiopic", "Georgian", "Glagolitic", "Gothic", "Grantha", "Greek", "Gujarati",
	"Gunjala_Gondi", "Gurmukhi", "Han", "Hangul", "Hanifi_Rohingya", "Hanunoo", "Hatran",
	"Hebrew", "Hiragana", "Imperial_Aramaic", "Inherited", "Inscriptional_Pahlavi",
	"Inscriptional_Parthian", "Javanese", "Kaithi", "Kannada", "Katakana", "Kawi", "Kayah_Li",
	"Kharoshthi", "Khitan_Small_Script", "Khmer", "Khojki", "Khudawadi", "L", "Lao", "Latin",
	"Lepcha", "Limbu", "Linear_A", "Linear_B", "Lisu", "Ll", "Lm", "Lo", "Lt", "Lu", "Lycian",
	"Lydian", "M", "Mahajani", "Makasar", "Malayalam", "Mandaic", "Manichaean", "Marchen",
	"Masaram_Gondi", "Mc", "Me", "Medefaidrin", "Meetei_Mayek", "Mende_Kikakui",
	"Meroitic_Cursive", "Meroitic_Hieroglyphs", "Miao", "Mn", "Modi", "Mongolian", "Mro",
	"Multani", "Myanmar", "N", "Nabataean", "Nag_Mundari", "Nandinagari", "Nd", "New_Tai_Lue",
	"Newa", "Nko", "Nl", "No", "Nushu", "Nyiakeng_Puachue_Hmong", "Ogham", "Ol_Chiki",
	"Old_Hungarian", "Old_Italic", "Old_North_Arabian", "Old_Permic", "Old_Persian",
	"Old_Sogdian", "Old_South_Arabian", "Old_Turkic", "Old_Uyghur", "Oriya", "Osage",
	"Osmanya", "P", "Pahawh_Hmong", "Palmyrene", "Pau_Cin_Hau", "Pc", "Pd", "Pe", "Pf",
	"Phags_Pa", "Phoenician", "Pi", "Po", "Ps", "Psalter_Pahlavi", "Rejang", "Runic", "S",
	"Samaritan", "Saurashtra", "Sc", "Sharada", "Shavian", "Siddham", "SignWriting",
	"Sinhala", "Sk", "Sm", "So", "Sogdian", "Sora_Sompeng", "Soyombo", "Sundanese",
	"Syloti_Nagri", "Syriac", "Tagalog", "Tagbanwa", "Tai_Le", "Tai_Tham", "Tai_Viet",
	"Takri", "Tamil", "Tangsa", "Tangut", "Telugu", "Thaana", "Thai", "Tibetan", "Tifinagh",
	"Tirhuta", "Toto", "Ugaritic", "Vai", "Vithkuqi", "Wancho", "Warang_Citi", "Yezidi", "Yi",
	"Z", "Zanabazar_Square", "Zl", "Zp", "Zs",
    /* clang-format on */
};

static const struct code_range any[] = {{0, MAX_CODE_POINT}};

/* The scripts that Unicode 14 and 15 added: Oniguruma knows them from 6.9.8 and 6.9.9 on. */
static const struct code_range cypro_minoan[] = {{0x12f90, 0x12ff2}};
static const struct code_range kawi[] = {
    {0x11f00, 0x11f10}, {0x11f12, 0x11f3a}, {0x11f3e, 0x11f59}};
static const struct code_range nag_mundari[] = {{0x1e4d0, 0x1e4f9}};
static const struct code_range old_uyghur[] = {{0x10f70, 0x10f89}};
static const struct code_range tangsa[] = {{0x16a70, 0x16abe}, {0x16ac0, 0x16ac9}};
static const struct code_range toto[] = {{0x1e290, 0x1e2ae}};
static const struct code_range vithkuqi[] = {
    {0x10570, 0x1057a}, {0x1057c, 0x1058a}, {0x1058c, 0x10592}, {0x10594, 0x10595},
    {0x10597, 0x105a1}, {0x105a3, 0x105b1}, {0x105b3, 0x105b9}, {0x105bb, 0x105bc},
};

static const struct code_range alnum[] = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}};
static const struct code_range alpha[] = {{'A', 'Z'}, {'a', 'z'}};
static const struct code_range ascii[] = {{0, 0x7f}};
static const struct code_range blank[] = {{'\t', '\t'}, {' ', ' '}};
static const struct code_range cntrl[] = {{0, 0x1f}, {0x7f, 0x7f}};
static const struct code_range digit[] = {{'0', '9'}};
static const struct code_range graph[] = {{'!', '~'}};
static const struct code_range lower[] = {{'a', 'z'}};
static const struct code_range print[] = {{' ', '~'}};
static const struct code_range punct[] = {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}};
static const struct code_range space[] = {{'\t', '\r'}, {' ', ' '}};
static const struct code_range upper[] = {{'A', 'Z'}};
static const struct code_range word[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct code_range xdigit[] = {{'0', '9'}, {'A', 'F'}, {'a', 'f'}};
/* \s lacks the vertical tab, which [:space:] has */
static const struct code_range perl_space[] = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};

struct named_ranges {
	const char *name;
	const struct code_range *ranges;
	size_t n;
};

#define NAMED(name, array)                                                                         \
	{                                                                                          \
		name, array, sizeof(array) / sizeof *(array)                                       \
	}

static const struct named_ranges unicode_ranges[] = {
    NAMED("Any", any),	     NAMED("Cypro_Minoan", cypro_minoan),
    NAMED("Kawi", kawi),     NAMED("Nag_Mundari", nag_mundari),
    NAMED("Tangsa", tangsa), NAMED("Old_Uyghur", old_uyghur),
    NAMED("Toto", toto),     NAMED("Vithkuqi", vithkuqi),
};

static const struct named_ranges posix_ranges[] = {
    NAMED("alnum", alnum), NAMED("alpha", alpha),   NAMED("ascii", ascii), NAMED("blank", blank),
    NAMED("cntrl", cntrl), NAMED("digit", digit),   NAMED("graph", graph), NAMED("lower", lower),
    NAMED("print", print), NAMED("punct", punct),   NAMED("space", space), NAMED("upper", upper),
    NAMED("word", word),   NAMED("xdigit", xdigit),
};

static const struct named_ranges perl_ranges[] = {
    NAMED("d", digit),
    NAMED("s", perl_space),
    NAMED("w", word),
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static size_t find(const struct named_ranges *table, size_t n, const char *name, size_t len,
		   const struct code_range **ranges)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0) {
			*ranges = table[i].ranges;
			return table[i].n;
		}
	}
	return 0;
}

/* As strcmp(known, name) for a name that may hold a NUL and has no NUL behind it. */
static int compare_names(const char *known, const char *name, size_t len)
{
	size_t known_len = strlen(known);
	int order = memcmp(known, name, known_len < len ? known_len : len);

	if (order || known_len == len)
		return order;
	return known_len < len ? -1 : 1;
}

const char *unicode_class_name(const char *name, size_t len)
{
	size_t low = 0, high = COUNT(unicode_names), middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = compare_names(unicode_names[middle], name, len);
		if (order == 0)
			return unicode_names[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

size_t unicode_class_ranges(const char *name, const struct code_range **ranges)
{
	return find(unicode_ranges, COUNT(unicode_ranges), name, strlen(name), ranges);
}

size_t posix_class(const char *name, size_t len, const struct code_range **ranges)
{
	return find(posix_ranges, COUNT(posix_ranges), name, len, ranges);
}

size_t perl_class(char letter, const struct code_range **ranges)
{
	return find(perl_ranges, COUNT(perl_ranges), &letter, 1, ranges);
}
