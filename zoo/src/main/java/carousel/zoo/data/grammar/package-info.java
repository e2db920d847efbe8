/**
 * Text whose entropy is known: probabilistic grammars that every sentence has one reading in, and
 * the English-like one with long-distance agreement that the project trains on by default.
 */
@NullMarked
package carousel.zoo.data.grammar;

import org.jspecify.annotations.NullMarked;
