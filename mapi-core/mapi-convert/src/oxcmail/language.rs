//! Windows locale ids of language tags.

/// The LCID of a language tag such as `de-AT`; of the language alone when the region is not known. Source: MS-LCID 2.2.
pub(super) fn locale_id(tag: &str) -> Option<i32> {
    let tag = tag.trim().to_ascii_lowercase();
    let find = |tag: &str| {
        LOCALES
            .iter()
            .find(|(name, _)| *name == tag)
            .map(|(_, id)| *id)
    };
    find(&tag).or_else(|| find(tag.split('-').next()?))
}

const LOCALES: [(&str, i32); 60] = [
    ("ar", 0x0401),
    ("bg", 0x0402),
    ("ca", 0x0403),
    ("cs", 0x0405),
    ("da", 0x0406),
    ("de", 0x0407),
    ("de-at", 0x0c07),
    ("de-ch", 0x0807),
    ("de-de", 0x0407),
    ("el", 0x0408),
    ("en", 0x0409),
    ("en-au", 0x0c09),
    ("en-ca", 0x1009),
    ("en-gb", 0x0809),
    ("en-ie", 0x1809),
    ("en-in", 0x4009),
    ("en-nz", 0x1409),
    ("en-us", 0x0409),
    ("es", 0x0c0a),
    ("es-ar", 0x2c0a),
    ("es-es", 0x0c0a),
    ("es-mx", 0x080a),
    ("et", 0x0425),
    ("eu", 0x042d),
    ("fa", 0x0429),
    ("fi", 0x040b),
    ("fr", 0x040c),
    ("fr-be", 0x080c),
    ("fr-ca", 0x0c0c),
    ("fr-ch", 0x100c),
    ("fr-fr", 0x040c),
    ("gl", 0x0456),
    ("he", 0x040d),
    ("hi", 0x0439),
    ("hr", 0x041a),
    ("hu", 0x040e),
    ("id", 0x0421),
    ("is", 0x040f),
    ("it", 0x0410),
    ("it-ch", 0x0810),
    ("ja", 0x0411),
    ("ko", 0x0412),
    ("lt", 0x0427),
    ("lv", 0x0426),
    ("nb", 0x0414),
    ("nl", 0x0413),
    ("nl-be", 0x0813),
    ("nn", 0x0814),
    ("pl", 0x0415),
    ("pt", 0x0816),
    ("pt-br", 0x0416),
    ("ro", 0x0418),
    ("ru", 0x0419),
    ("sk", 0x041b),
    ("sv", 0x041d),
    ("th", 0x041e),
    ("tr", 0x041f),
    ("uk", 0x0422),
    ("zh", 0x0804),
    ("zh-tw", 0x0404),
];
