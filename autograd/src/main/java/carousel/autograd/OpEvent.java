package carousel.autograd;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** What a {@link Profile} sees, for who records with JDK Flight Recorder. */
@Name("carousel.Op")
@Label("Tensor Op")
@Description("An op, a kernel or an update of weights")
@Category("Carousel")
@StackTrace
final class OpEvent extends Event {
  @Label("Op")
  String op = "";

  @Label("Gradient Of")
  String gradientOf = "";

  @Label("Shapes")
  String shapes = "";

  @Label("Place")
  @Description("The line of the program")
  String place = "";

  @Label("Through")
  @Description("The line of the library's layer, loss or optimiser that the program called there")
  String through = "";
}
