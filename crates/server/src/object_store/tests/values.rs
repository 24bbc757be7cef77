use crate::object_store::values::{Extent, FileName, PartNumber};

fn extent(file: FileName, start: u64, length: u64) -> Extent {
    Extent { file, start, length }
}

#[test]
fn neighbours_in_one_file_become_one_extent() {
    let (a, b) = (FileName::fresh(), FileName::fresh());
    let parts = [
        extent(a, 0, 8),
        extent(a, 8, 8),
        extent(b, 0, 8),
        extent(a, 24, 8),
        extent(a, 40, 0),
        extent(a, 32, 3),
    ];
    assert_eq!(Extent::merged(parts), [extent(a, 0, 16), extent(b, 0, 8), extent(a, 24, 11)]);
}

#[test]
fn a_range_is_cut_out_of_the_extents_it_touches() {
    let (a, b) = (FileName::fresh(), FileName::fresh());
    let object = [extent(a, 100, 10), extent(b, 0, 10), extent(a, 0, 10)];
    assert_eq!(Extent::within(&object, 0, 30), object);
    assert_eq!(
        Extent::within(&object, 9, 21),
        [extent(a, 109, 1), extent(b, 0, 10), extent(a, 0, 1)]
    );
    assert_eq!(Extent::within(&object, 12, 13), [extent(b, 2, 1)]);
    assert_eq!(Extent::within(&object, 30, 30), []);
}

#[test]
fn only_names_this_store_gave_are_file_names() {
    let name = FileName::fresh().to_string();
    assert_eq!(FileName::parse(&name).unwrap().to_string(), name);
    for other in ["", "index.db", "../../etc/passwd", &name.to_lowercase(), &format!("{name}x")] {
        assert!(FileName::parse(other).is_none(), "{other}");
    }
}

#[test]
fn part_numbers_end_at_ten_thousand() {
    assert_eq!(PartNumber::parse(1).unwrap().offset(8), 0);
    assert_eq!(PartNumber::parse(10_000).unwrap().offset(8), 79_992);
    for wrong in [0, -1, 10_001, i32::MAX] {
        assert!(PartNumber::parse(wrong).is_err(), "{wrong}");
    }
}
