import shop.kernel.fields
from django.db import migrations, models

PAID_WITH = [('points', 'Spendable points'), ('stamps', 'Stamps')]


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0017_plan_orders'),
        ('shop', '0016_stamps_of_orders'),
    ]

    operations = [
        migrations.AlterField(
            model_name='earningrule',
            name='kind',
            field=models.CharField(choices=[('spend', 'Points for every yuan paid'), ('visit', 'Points for an order'), ('item', 'Points for every item'), ('boost', 'Multiplies the points of an order'), ('stamp', 'Stamps for every item'), ('event', 'Points for something else than buying')], max_length=8, verbose_name='gives'),
        ),
        migrations.AddField(
            model_name='reward',
            name='wallet',
            field=models.CharField(choices=PAID_WITH, db_default='points', default='points', max_length=16, verbose_name='paid with'),
        ),
        migrations.AlterField(
            model_name='reward',
            name='cost_points',
            field=shop.kernel.fields.PointsField(help_text='Points or stamps.', verbose_name='costs'),
        ),
        migrations.AddField(
            model_name='rewardredemption',
            name='wallet',
            field=models.CharField(choices=PAID_WITH, db_default='points', default='points', max_length=16, verbose_name='paid with'),
        ),
        migrations.AlterField(
            model_name='rewardredemption',
            name='points',
            field=shop.kernel.fields.PointsField(verbose_name='points or stamps'),
        ),
    ]
