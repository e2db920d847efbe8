/** Recurrent language models: what to train, training, what a run leaves behind, and using it. */
@NullMarked
package carousel.zoo.language;

import org.jspecify.annotations.NullMarked;
