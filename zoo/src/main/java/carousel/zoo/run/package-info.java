/** What every run of a system needs: its folder, checkpoints, history, progress, and messages to its user. */
@NullMarked
package carousel.zoo.run;

import org.jspecify.annotations.NullMarked;
