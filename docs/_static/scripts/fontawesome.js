// In the place of the theme's script of all icons there are, 1.5 MB on each page: those that the
// pages use come from its style and its font.
