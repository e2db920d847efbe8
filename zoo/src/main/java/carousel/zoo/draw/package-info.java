/** Drawings of computational graphs, as DOT and as SVG that needs no other program. */
@NullMarked
package carousel.zoo.draw;

import org.jspecify.annotations.NullMarked;
