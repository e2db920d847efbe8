/** What layers and losses ask of their operands. */
@NullMarked
package carousel.nn.check;

import org.jspecify.annotations.NullMarked;
