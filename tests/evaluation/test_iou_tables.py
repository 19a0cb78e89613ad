import csv

from box2seg_mmseg.evaluation import format_iou_table, write_iou_csv

REPORTS = {
    'fixed (0.5)': {
        'mIoU': 62.5,
        'confused': 4.5,
        'IoU': {'background': 90.0, 'cat': 35.0, 'dog': None},
        'coverage': 100.0,
        'images': 7,
    },
    'best': {
        'mIoU': 70.25,
        'confused': None,
        'IoU': {'background': 91.0, 'cat': 49.5, 'dog': None},
        'coverage': 99.96,
        'images': 7,
    },
}


def test_columns_stand_side_by_side():
    assert format_iou_table(REPORTS).splitlines() == [
        'class                 fixed (0.5)    best',
        'background                   90.0    91.0',
        'cat                          35.0    49.5',
        'dog                             -       -',
        'mIoU                         62.5    70.2',
        'confused                      4.5       -',
        'coverage                    100.0   100.0',
        'images                          7       7',
        'confused: pixels of a class labelled as another foreground class',
    ]


def test_csv_has_all_digits(tmp_path):
    write_iou_csv(tmp_path / 'a.csv', REPORTS)
    with (tmp_path / 'a.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['class'] for row in rows] == [
        'background', 'cat', 'dog', 'mIoU', 'confused', 'coverage', 'images',
    ]  # fmt: skip
    assert rows[3]['best'] == '70.25' and rows[2]['best'] == ''
