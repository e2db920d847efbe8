package carousel.zoo.system;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What a component of a record of options means. The option is called as the component, with hyphens: {@code
 * decayAfter} is {@code --decay-after}. Its type says how it is written: {@code int}, {@code long}, {@code double},
 * {@code boolean}, {@code String}, or an enum, whose constants are written in small letters.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Option {
  /** For the help: a sentence without its point. */
  String value();

  /** What stands for the value in the help; by default {@code N}, {@code X} or {@code NAME}, by the type. */
  String label() default "";

  /** Its value in the quick preset. */
  String quick() default "";

  /** Its value as published; that of {@link #quick} if not given. */
  String paper() default "";

  /** Its value where a test runs the system at every build; that of {@link #quick} if not given. */
  String small() default "";

  /** The least that makes sense. */
  double min() default Double.NEGATIVE_INFINITY;

  /** The most that makes sense. */
  double max() default Double.POSITIVE_INFINITY;

  /** It must be above that. */
  double above() default Double.NEGATIVE_INFINITY;

  /** It must be below that. */
  double below() default Double.POSITIVE_INFINITY;

  /** The names it may be, of which those near a wrong one are proposed. */
  Class<? extends Choices> choices() default Choices.Any.class;

  /** Whether a run that goes on may do so with another value. */
  boolean tunable() default false;
}
