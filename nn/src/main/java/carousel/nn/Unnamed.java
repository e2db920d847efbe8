package carousel.nn;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Leaves a record's component out of the paths of what is in it: a list {@code @Unnamed List<..> layers} has the
 * parameters {@code 0.weight} and {@code 1.weight}, not {@code layers.0.weight}. That is how PyTorch names the parts of
 * a {@code Sequential}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Unnamed {}
