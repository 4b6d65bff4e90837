import shop.kernel.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('shop', '0015_external_ids'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='stamps',
            field=shop.kernel.fields.PointsField(db_default=0, default=0, verbose_name='stamps'),
        ),
    ]
