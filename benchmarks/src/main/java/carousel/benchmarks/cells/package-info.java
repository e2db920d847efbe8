/**
 * Recurrent cells that people use and that the libraries measured beside us have no kernel for, written
 * as a user of Carousel writes a cell of his own: a record of parameters, and one step as a graph.
 */
@NullMarked
package carousel.benchmarks.cells;

import org.jspecify.annotations.NullMarked;
