//! The version words, in the languages that lists are written in.

use super::Version;
use super::Version::{
    ACappella, Acoustic, Cover, Demo, Extended, Instrumental, Karaoke, Language, Live, Remix, Rerecorded,
    Short, Slowed, SpedUp,
};
use Means::{Edit, EditBy, Filler, Is, MixBy, Nothing, Part};
use Place::{Anywhere, Aside, AsideEdge};

/// Between two phrases of [`CUES`].
pub(super) const OR: &str = " | ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    Is(Version),
    /// "radio edit".
    Edit,
    /// "edit": a radio edit alone, somebody's remix with a name before it.
    EditBy,
    /// "mix": another mastering with a year, somebody's remix with a name.
    MixBy,
    /// A part of its own ("reprise"): the word itself is the detail.
    Part,
    /// "version": what it is stands beside it.
    Filler,
    /// Not another recording: "remastered", "official video".
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Means this wherever it stands, even without brackets at the end of a title.
    Anywhere,
    /// Only inside brackets or after a dash.
    Aside,
    /// There, and only last or before a word such as "at" or "version": "(Live Your Life)" is no concert.
    AsideEdge,
}

/// Phrases as [`Text::bare_words`](super::super::normal::Text::bare_words) gives them, parted by [`OR`]; the longest
/// that fits wins.
pub(super) const CUES: &[(Means, Place, &str)] = &[
    (Is(Live), AsideEdge, "live | unplugged | concert"),
    (
        Is(Live),
        Aside,
        "ao vivo | en vivo | en directo | en concert | in concert | dal vivo | mtv unplugged",
    ),
    (
        Is(Live),
        Aside,
        "라이브 | ライブ | ライヴ | 现场 | 現場 | концерт",
    ),
    (
        Is(Live),
        Aside,
        "en direct | canli | na zywo | вживую | на концерте | לייב | حفلة | แสดงสด | like a version",
    ),
    (
        Is(Live),
        Aside,
        "recorded at | spotify singles | live lounge | tiny desk | the first take",
    ),
    (Is(Remix), Anywhere, "remix | rmx | 리믹스 | リミックス | ремикс"),
    (
        Is(Remix),
        Aside,
        "remixed | rework | bootleg | mashup | club mix | dance mix | lofi | lo fi | 混音",
    ),
    (
        Is(Remix),
        Aside,
        "hardstyle | phonk | jersey club | bass boosted | dj版 | dj version | dj ver | 리믹스 버전",
    ),
    (Is(Remix), AsideEdge, "dub | flip | refix | vip"),
    (
        Is(Acoustic),
        AsideEdge,
        "acoustic | acustico | acustica | acoustique | akustik | akustisch | stripped",
    ),
    (
        Is(Acoustic),
        Aside,
        "어쿠스틱 | アコースティック | акустика | акустическая",
    ),
    (
        Is(Instrumental),
        Anywhere,
        "instrumental | off vocal | backing track | インストゥルメンタル",
    ),
    (
        Is(Instrumental),
        Aside,
        "inst | instrumentals | music box | オルゴール | 오르골 | playback | no vocals | minus one | minus | минус",
    ),
    // "Mr. Blue Sky" has its voice.
    (Is(Instrumental), AsideEdge, "mr"),
    (
        Is(Instrumental),
        Aside,
        "인스트루멘탈 | 인스트 | 연주곡 | インスト | オフボーカル | 伴奏",
    ),
    (
        Is(Karaoke),
        Anywhere,
        "karaoke | カラオケ | 노래방 | караоке | 卡拉ok | คาราโอเกะ | in the style of",
    ),
    (
        Is(Cover),
        Anywhere,
        "オリジナルアーティスト | 原曲歌手 | originally performed by | originally by | made famous by | as made famous by",
    ),
    (
        Is(Cover),
        Anywhere,
        "made popular by | as performed by | tribute to | 歌ってみた | cover version",
    ),
    (
        Is(Cover),
        AsideEdge,
        "cover | covered | tribute | cover by | covered by",
    ),
    (
        Is(Cover),
        Aside,
        "커버 | カバー | カヴァー | 翻唱 | кавер | 弾いてみた | 演奏してみた",
    ),
    (
        Is(SpedUp),
        Anywhere,
        "sped up | spedup | speed up | speeded up | nightcore | night core",
    ),
    (
        Is(SpedUp),
        Aside,
        "sped | fast version | speed version | pitched up | ускоренная | 加速版 | 배속",
    ),
    (
        Is(Slowed),
        Anywhere,
        "slowed | slowed down | slowed reverb | slowed and reverb | daycore | chopped and screwed",
    ),
    (
        Is(Slowed),
        Aside,
        "slow version | slow ver | замедленная | 降速版 | 減速版",
    ),
    (Is(Demo), AsideEdge, "demo | demos | outtake | rehearsal"),
    (Is(Demo), Aside, "デモ | 데모 | демо"),
    (
        Is(Rerecorded),
        Anywhere,
        "taylors version | re recorded | rerecorded | re recording",
    ),
    (Is(Extended), Anywhere, "extended mix | extended version"),
    (
        Is(Extended),
        AsideEdge,
        "extended | long version | 12 inch | maxi version | maxi single",
    ),
    (Is(Short), Anywhere, "tv size | tvサイズ | anime size"),
    (
        Is(Short),
        Aside,
        "tv edit | tv ver | tv version | short ver | short version | snippet | preview",
    ),
    (
        Is(ACappella),
        Anywhere,
        "acapella | a cappella | acappella | a capella",
    ),
    (
        Is(Language("Japanese")),
        AsideEdge,
        "japanese | jp | jpn | 일본어 | 日本語 | 日文 | 日语",
    ),
    (
        Is(Language("Korean")),
        AsideEdge,
        "korean | kor | kr | 한국어 | 韓国語 | 韓文 | 韩语",
    ),
    (
        Is(Language("English")),
        AsideEdge,
        "english | eng | en ingles | 영어 | 英語 | 英文 | 英语",
    ),
    (
        Is(Language("Chinese")),
        AsideEdge,
        "chinese | mandarin | chn | 중국어 | 中国語 | 中文 | 国语 | 國語",
    ),
    (Is(Language("Cantonese")), AsideEdge, "cantonese | 粤语 | 粵語"),
    (
        Is(Language("Spanish")),
        AsideEdge,
        "spanish | espanol | en espanol | castellano | 스페인어",
    ),
    (
        Is(Language("French")),
        AsideEdge,
        "french | francais | en francais",
    ),
    (
        Is(Language("German")),
        AsideEdge,
        "german | deutsch | auf deutsch",
    ),
    (
        Is(Language("Italian")),
        AsideEdge,
        "italian | italiano | in italiano",
    ),
    (
        Is(Language("Portuguese")),
        AsideEdge,
        "portuguese | portugues | em portugues",
    ),
    (Is(Language("Russian")), AsideEdge, "russian | на русском"),
    (Is(Language("Thai")), AsideEdge, "thai"),
    (Is(Language("Hindi")), AsideEdge, "hindi"),
    (Is(Language("Tamil")), AsideEdge, "tamil"),
    (Is(Language("Telugu")), AsideEdge, "telugu"),
    (Is(Language("Kannada")), AsideEdge, "kannada"),
    (Is(Language("Malayalam")), AsideEdge, "malayalam"),
    (Is(Language("Punjabi")), AsideEdge, "punjabi"),
    (Is(Language("Arabic")), AsideEdge, "arabic"),
    (Is(Language("Turkish")), AsideEdge, "turkish | turkce"),
    (Is(Language("Vietnamese")), AsideEdge, "vietnamese | tieng viet"),
    (
        Is(Language("Indonesian")),
        AsideEdge,
        "indonesian | bahasa indonesia",
    ),
    (
        Edit,
        Anywhere,
        "radio edit | radio version | radio mix | radio cut | single edit",
    ),
    (
        Edit,
        AsideEdge,
        "clean | censored | edited | video edit | short edit",
    ),
    (EditBy, AsideEdge, "edit"),
    (MixBy, AsideEdge, "mix"),
    (
        Part,
        AsideEdge,
        "reprise | interlude | intro | outro | skit | medley | 8d | 9d | 16d | piano | orchestral | lullaby",
    ),
    (Part, Anywhere, "钢琴版 | 鋼琴版"),
    (
        Part,
        Aside,
        "钢琴 | 鋼琴 | ピアノ | 피아노 | オーケストラ | 오케스트라 | пианино",
    ),
    (
        Filler,
        AsideEdge,
        "version | ver | vers | version originale | 버전 | バージョン | ヴァージョン | 版",
    ),
    (
        Filler,
        AsideEdge,
        "session | sessions | performance | recording | reverb | версия",
    ),
    (
        Nothing,
        Anywhere,
        "remaster | remastered | remasterizado | remasterise | リマスター | 리마스터 | ремастер",
    ),
    (
        Nothing,
        Anywhere,
        "album version | single version | original version | original mix | studio version",
    ),
    (
        Nothing,
        Anywhere,
        "official video | official music video | official audio | official lyric video",
    ),
    (
        Nothing,
        Anywhere,
        "lyric video | lyrics video | music video | bonus track | original soundtrack",
    ),
    (
        Nothing,
        Aside,
        "original motion picture soundtrack | full version | lp version | main version",
    ),
    (
        Nothing,
        Aside,
        "official | visualizer | official visualizer | hd | hq | 4k | ost | mv | m v | 가사 | title track | title song",
    ),
    (
        Nothing,
        AsideEdge,
        "explicit | uncensored | dirty | deluxe | deluxe edition | mono | stereo | audio | lyrics | original",
    ),
    (
        Nothing,
        AsideEdge,
        "soundtrack | bonus | expanded edition | anniversary edition | digital",
    ),
];

/// What may follow a word of [`Place::AsideEdge`] without making it part of a phrase.
pub(super) const FOLLOWS: &str = "at in from on by and with bei aus en a version ver vers session sessions performance recording video audio edit mix remix remaster remastered take live acoustic instrumental demo cover 버전 バージョン 版";

/// Beside a version word these name nothing.
pub(super) const STOP_WORDS: &str =
    "the a an at in from on by of and with for de la el en take s video full new official pop digital audio";

/// Any of these says that a line is about a video, if nothing but these and [`VIDEO_FILLERS`] is in it.
pub(super) const VIDEO_WORDS: &str = "official oficial officiel officielle ufficiale offizielles offizieller resmi video videoclip videoklip clip clipe klip mv musikvideo audio lyric lyrics letra paroles visualizer visualiser клип видео видеоклип аудио كليب الكليب 가사 뮤직비디오 오디오 ミュージックビデオ 公式 公式mv 官方 官方mv 歌詞 歌词";

/// Words that say so only together with another.
pub(super) const VIDEO_FILLERS: &str = "music musical hd hq uhd 4k 8k full with con avec mit color coded song remaster remastered performance original m v официальный официальное официальная премьера فيديو الرسمي 공식 完整版 高音質 フル";
