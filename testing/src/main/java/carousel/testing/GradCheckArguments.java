package carousel.testing;

import carousel.autograd.GradCheck;
import carousel.tensor.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.provider.AnnotationBasedArgumentsProvider;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** The checks of a {@link GradCheckSource}. */
final class GradCheckArguments extends AnnotationBasedArgumentsProvider<GradCheckSource> {
  @Override
  protected Stream<? extends Arguments> provideArguments(
      ParameterDeclarations parameters, ExtensionContext context, GradCheckSource source) {
    List<Arguments> all = new ArrayList<>();
    for (Device device : Devices.named(source.devices())) {
      for (int order : source.orders()) {
        for (long seed : source.seeds()) {
          GradCheck check = GradCheck.standard().withOrder(order).withDevice(device).withSeed(seed);
          all.add(Arguments.argumentSet(check.toString(), check));
        }
      }
    }
    return all.stream();
  }
}
