/**
 * Checks that look at all modules at once: the arrows between them, what they export and provide, and
 * the conventions of their code. They live in this module because it is built last, nothing depends
 * on it, and its tests run on the class path, from where every module can be seen.
 */
@NullMarked
package carousel.house;

import org.jspecify.annotations.NullMarked;
