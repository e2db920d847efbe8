/** Drawings of computational graphs, as DOT and as SVG that needs no other program. */
@NullMarked
package carousel.zoo.graph;

import org.jspecify.annotations.NullMarked;
