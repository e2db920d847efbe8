package carousel.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class DigestTest {
  private static final List<Digest> OURS =
      List.of(Digest.of("y", 3, -1, 2), Digest.of("dwx.0", 1, 2), Digest.of("db.0", 5));

  private static String difference(Digest... theirs) {
    return Digest.difference(List.of(theirs), OURS);
  }

  @Test
  void isReadAsItIsWritten() {
    List<Digest> read = Digest.read(Digest.write(OURS));

    assertThat(read).extracting(Digest::name).containsExactly("y", "dwx.0", "db.0");
    assertThat(read.getFirst().norm()).isEqualTo(3.74165739);
    assertThat(Digest.difference(read, OURS)).isEmpty();
    assertThat(Digest.read(Digest.write(List.of()))).isEmpty();
  }

  @Test
  void passesOverRoundingAndBiasesOfOne() {
    assertThat(difference(Digest.of("y", 3.00003, -1, 2), Digest.of("dwx.0", 1, 2))).isEmpty();
    assertThat(
            difference(
                Digest.of("db2.0", 1),
                Digest.of("y", 3, -1, 2),
                Digest.of("dwx.0", 1, 2),
                Digest.of("db.0", 5)))
        .isEmpty();
  }

  @Test
  void comparesNothingWithALibraryThatDoesNotTell() {
    assertThat(difference()).isEmpty();
    assertThat(Digest.difference(OURS, List.of())).isEmpty();
  }

  @Test
  void tellsWhatDiffers() {
    assertThat(difference(Digest.of("y", 3.01, -1, 2), Digest.of("dwx.0", 1, 2)))
        .startsWith("the results differ: y has norm 3.749");
    assertThat(difference(Digest.of("y", 3, -1, 2), Digest.of("dwx.0", Double.NaN, 2)))
        .startsWith("the results differ: dwx.0 has norm NaN");
  }

  @Test
  void seesElementsThatChangedPlaces() {
    assertThat(difference(Digest.of("y", 3, -1, 2), Digest.of("dwx.0", 2, 1)))
        .startsWith("the results differ: dwx.0 has norm 2.236068 and projection");
  }

  @Test
  void missesATensor() {
    assertThat(difference(Digest.of("y", 3, -1, 2)))
        .isEqualTo("the results differ: there is no dwx.0");
  }
}
